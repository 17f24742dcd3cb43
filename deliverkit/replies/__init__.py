"""SMTP replies explained: what one means, why it came, who acts, and whether to try again.

`decode` takes the text of one reply and always answers. What it knows are tables in `data/`, in words that a
postmaster can read and add to (`docs/replies.md`): codes by phase, enhanced codes, providers, phrases, block lists.
"""

from deliverkit.replies.decode import decode
from deliverkit.replies.decoded import CATEGORIES, STAGES, Class, Decoded, Scope, Who
from deliverkit.replies.provider import Provider, provider_of, providers

__all__ = ["CATEGORIES", "STAGES", "Class", "Decoded", "Provider", "Scope", "Who", "decode", "provider_of", "providers"]
