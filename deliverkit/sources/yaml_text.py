"""YAML with the place of every value, by the events of PyYAML's parser: nothing is constructed, no tag is obeyed.

Aliases are refused, each where it stands: a few of them make a file of gigabytes (the "billion laughs").
"""

from __future__ import annotations

import re
from typing import Any, Final

from deliverkit.sources.tree import (
    MAX_DEPTH,
    MAX_VALUES,
    Document,
    Items,
    Node,
    Remark,
    Scalar,
    Table,
    UnreadableError,
    repeated,
)

_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})")
_WORDS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_PLAIN_TAGS: Final = frozenset({"!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "map", "seq"))})


def read_yaml(text: str) -> Document:
    """The document. Raises `UnreadableError`."""
    import yaml  # noqa: PLC0415 - only a YAML file needs it

    reader = _Reader()
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(f"{error.context or ''} {error.problem or ''}".split()) or "not YAML"
        raise UnreadableError(words, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        line = before.count("\n") + 1
        raise UnreadableError(
            "a character that no YAML file may hold", line, len(before) - before.rfind("\n")
        ) from error
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise UnreadableError(" ".join(str(error).split())[:200] or "not YAML") from error
    return reader.document()


class _Open:
    """A list or table that is not at its end."""

    def __init__(self, line: int, column: int, *, keyed: bool) -> None:
        self.line = line
        self.column = column
        self.keyed = keyed
        self.nodes: list[Node] = []

    def closed(self) -> tuple[Node, list[Remark]]:
        """The node, and the keys that stand in it twice."""
        if not self.keyed:
            return Items(tuple(self.nodes), self.line, self.column), []
        pairs = [
            (key if isinstance(key, Scalar) else Scalar(None, "", key.line, key.column), value)
            for key, value in zip(self.nodes[::2], self.nodes[1::2], strict=False)
        ]
        return Table(tuple(pairs), self.line, self.column), list(repeated(pairs))


class _Reader:
    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._roots: list[Node] = []
        self._remarks: list[Remark] = []
        self._values = 0

    def take(self, event: Any) -> None:
        """One event of the parser."""
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        match type(event).__name__:
            case "ScalarEvent":
                self._tagged(event, line, column)
                self._add(_scalar(event, line, column))
            case "AliasEvent":
                self._remarks.append(
                    Remark("alias", f"the alias *{event.anchor} is not followed: write the value here", line, column)
                )
                self._add(Scalar(None, "", line, column))
            case "MappingStartEvent" | "SequenceStartEvent" as kind:
                self._tagged(event, line, column)
                if len(self._open) >= MAX_DEPTH:
                    raise UnreadableError(f"more than {MAX_DEPTH} levels within each other", line, column)
                self._open.append(_Open(line, column, keyed=kind == "MappingStartEvent"))
            case "MappingEndEvent" | "SequenceEndEvent":
                node, remarks = self._open.pop().closed()
                self._remarks.extend(remarks)
                self._add(node)
            case "DocumentStartEvent" if self._roots:
                raise UnreadableError("a second document in the file", line, column)

    def document(self) -> Document:
        """What was read."""
        if not self._roots:
            raise UnreadableError("the file is empty")
        return Document(self._roots[0], tuple(sorted(self._remarks, key=lambda each: (each.line, each.column))))

    def _add(self, node: Node) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise UnreadableError(f"more than {MAX_VALUES} values", node.line, node.column)
        (self._open[-1].nodes if self._open else self._roots).append(node)

    def _tagged(self, event: Any, line: int, column: int) -> None:
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            self._remarks.append(Remark("tag", f"the tag {event.tag} is not obeyed", line, column))


def _scalar(event: Any, line: int, column: int) -> Scalar:
    written = str(event.value)
    if event.tag is not None and event.tag not in _PLAIN_TAGS:
        return Scalar(None, written, line, column)
    if event.style or (event.tag is not None and event.tag.endswith(":str")):
        return Scalar(written, written, line, column)
    if written in _WORDS:
        return Scalar(_WORDS[written], written, line, column)
    if _INTEGER.fullmatch(written):
        return Scalar(int(written), written, line, column)
    return Scalar(written, written, line, column)
