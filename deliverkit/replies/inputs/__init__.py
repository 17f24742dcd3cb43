"""What users paste, to replies: log lines, transcripts, bounces and bare replies, in one pass."""

from deliverkit.replies.inputs.item import MAX_LINE, Item, Kind, Outcome
from deliverkit.replies.inputs.reader import Counts
from deliverkit.replies.inputs.source import items
from deliverkit.replies.inputs.stamp import moment

__all__ = ["MAX_LINE", "Counts", "Item", "Kind", "Outcome", "items", "moment"]
