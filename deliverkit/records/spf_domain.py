"""Domain-specs and macro-strings of SPF terms (RFC 7208 §7.1).

domain-spec   = macro-string domain-end
macro-string  = *( macro-expand / %x21-24 / %x26-7E )
macro-expand  = "%{" letter [digits] ["r"] *delimiter "}" / "%%" / "%_" / "%-"
domain-end    = "." toplabel ["."]  /  macro-expand
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

_MACRO: Final = re.compile(
    r"%\{(?P<letter>[A-Za-z])(?P<digits>[0-9]*)(?P<reverse>[rR]?)(?P<delimiters>[.\-+,/_=]*)\}|%[%_\-]"
)
_LETTERS: Final = frozenset("slodiphv")
_EXP_LETTERS: Final = frozenset("crt")  # §7.2: in exp text only
_TOPLABEL: Final = re.compile(r"(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])\.?")

Problem = tuple[str, int, int]
"""What is wrong, and from where to where (exclusive) in the text given."""


class DomainSpec(msgspec.Struct, frozen=True):
    """A domain-spec: `text` as written, `macros` the letters it uses, in lower case."""

    text: str
    macros: tuple[str, ...] = ()
    macro: bool = False
    """Whether any %-expression stands in it, so that its value depends on the message."""

    @property
    def name(self) -> str | None:
        """The name it stands for, None where that depends on the message."""
        return None if self.macro else self.text.rstrip(".").lower()


def parse_macro_string(text: str) -> tuple[DomainSpec, list[Problem]]:
    """Any macro-string, as an unknown modifier has it."""
    problems: list[Problem] = []
    letters: list[str] = []
    macro = False
    at = 0
    while at < len(text):
        char = text[at]
        if char == "%":
            match = _MACRO.match(text, at)
            if match is None:
                problems.append(_macro_problem(text, at))
                at += 1
                continue
            macro = True
            if match["letter"]:
                _letter(match, letters, problems)
            at = match.end()
            continue
        if not "!" <= char <= "~":
            problems.append(("a character that no SPF record may hold", at, at + 1))
        at += 1
    return DomainSpec(text, tuple(letters), macro), problems


def parse_domain_spec(text: str) -> tuple[DomainSpec, list[Problem]]:
    """A domain-spec, whose end has to be a label that is not all digits, or a macro."""
    spec, problems = parse_macro_string(text)
    if problems:
        return spec, problems
    ends = [match.end() for match in _MACRO.finditer(text)]
    if ends and ends[-1] == len(text) and not text.endswith("%%"):
        return spec, problems
    head, dot, top = text.removesuffix(".").rpartition(".")
    if spec.macro and ends[-1] > len(head) + len(dot):
        top = text[ends[-1] :]
    if not dot:
        problems.append(("not a domain name: it has no dot", 0, len(text)))
    elif not _TOPLABEL.fullmatch(top):
        problems.append(
            ("not a domain name: its last label is not one", len(text.removesuffix(".")) - len(top), len(text))
        )
    return spec, problems


def _letter(match: re.Match[str], letters: list[str], problems: list[Problem]) -> None:
    letter = match["letter"].lower()
    start = match.start("letter")
    if letter in _EXP_LETTERS:
        problems.append((f"the macro {letter} may stand in explanation texts only", start, start + 1))
    elif letter not in _LETTERS:
        problems.append((f"there is no macro {letter}", start, start + 1))
    elif match["digits"] and int(match["digits"][:4]) == 0:
        problems.append(("a macro keeps at least one label", match.start("digits"), match.end("digits")))
    else:
        letters.append(letter)


def _macro_problem(text: str, at: int) -> Problem:
    close = text.find("}", at)
    if text.startswith("%{", at) and close > 0:
        return ("not a macro", at, close + 1)
    if text.startswith("%{", at):
        return ("a macro without its closing brace", at, len(text))
    return ("a percent sign is written %%", at, at + 1)
