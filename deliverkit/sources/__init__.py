"""DNS as code: files to records as written, each with file, line and column. Nothing is asked of any network.

`read` picks the reader: a BIND zone file, octoDNS YAML, DNSControl's JSON or what `terraform show -json` prints.
"""

from deliverkit.model.source import InlineIgnore, Place, Source, SourceKind, SourceProblem, SourceRecord, Word
from deliverkit.sources.file import SourceError, read, read_text

__all__ = [
    "InlineIgnore",
    "Place",
    "Source",
    "SourceError",
    "SourceKind",
    "SourceProblem",
    "SourceRecord",
    "Word",
    "read",
    "read_text",
]
