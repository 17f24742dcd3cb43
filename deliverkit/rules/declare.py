"""How a rule is declared: one function says everything once.

The id is the function's name with hyphens, the subject is the annotation of its only parameter, the
documentation is the docstring: a summary line, the reason, then `## Fix`, and pairs of `## Bad` and
`## Good` with one `.world` block each, which run as tests.
"""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from deliverkit.facts import Fact
from deliverkit.model import Example, Finding, Rule, RuleDoc, Severity, Who, area_of

F = TypeVar("F", bound=Fact)


def rule(
    severity: Severity, *references: str, who: Who = Who.DNS_ADMIN
) -> Callable[[Callable[[F], Iterator[Finding]]], Rule]:
    """Declare a rule: its default severity, the norms or provider pages it rests on, and who can mend it."""

    def declare(judge: Callable[[F], Iterator[Finding]]) -> Rule:
        name = judge.__name__.replace("_", "-")
        return Rule(
            id=name,
            area=area_of(name),
            severity=severity,
            references=references,
            who=who,
            subject=_subject(judge),
            page=functools.cache(lambda: parse_doc(inspect.getdoc(judge) or "")),
            judge=judge,
        )

    return declare


def _subject(judge: Any) -> type[Any]:
    written = {name: hint for name, hint in judge.__annotations__.items() if name != "return"}
    # A name of the module's own is looked up at once: having typing resolve hundreds takes as long as judging a domain.
    hints = {name: judge.__globals__.get(hint) if isinstance(hint, str) else hint for name, hint in written.items()}
    if not all(isinstance(hint, type) for hint in hints.values()):
        hints = {name: hint for name, hint in typing.get_type_hints(judge).items() if name != "return"}
    if len(hints) != 1:
        raise TypeError(f"{judge.__name__}: a rule takes exactly one annotated fact")
    (subject,) = hints.values()
    if not (isinstance(subject, type) and issubclass(subject, Fact)):
        raise TypeError(f"{judge.__name__}: {subject!r} is not a fact")
    return subject


def parse_doc(text: str) -> RuleDoc:
    """A docstring taken apart into its sections. Raises ValueError for a section of another name."""
    head, *parts = re.split(r"(?m)^## +(.+)$", text)
    summary, _, why = head.strip().partition("\n\n")
    sections: dict[str, list[str]] = {"Fix": [], "Bad": [], "Good": []}
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        if title.strip() not in sections:
            raise ValueError(f"a rule's page has no section {title!r}")
        sections[title.strip()].append(body.strip("\n"))
    return RuleDoc(
        summary=" ".join(summary.split()),
        why=why.strip(),
        fix="\n\n".join(part.strip() for part in sections["Fix"]),
        bad=tuple(Example(_world(part)) for part in sections["Bad"]),
        good=tuple(Example(_world(part)) for part in sections["Good"]),
    )


def _world(body: str) -> str:
    """The indented or fenced block of a section."""
    fenced = re.search(r"(?ms)^\s*```\w*\n(.*?)^\s*```", body)
    return inspect.cleandoc(fenced.group(1) if fenced else body).strip() + "\n"
