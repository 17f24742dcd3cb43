"""Writes docs/rules from the rules: a page each, and an index.

python -m docs.generate            write them
python -m docs.generate --check    say which differ, and exit 1 where any does
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final

from deliverkit.model import Rule
from deliverkit.rules import all_rules

FOLDER: Final = Path(__file__).parent / "rules"
INDEX: Final = "README.md"
_WHO: Final = {
    "dns-admin": "who runs the domain's DNS",
    "mail-admin": "who runs the mail servers",
    "hoster": "the hoster",
    "sender": "the sender",
    "recipient": "the recipient",
    "recipient-admin": "who runs the recipient's mail",
    "provider": "the mail provider",
    "nobody": "nobody",
}
_HEAD: Final = "<!-- Written by `make docs` from the rule itself; change it there. -->"

_ABOUT: Final = (
    "Each page says why its rule is there, how to mend what it finds, and shows a world that fails it and one that "
    "passes; both run as tests. `deliverkit explain RULE` prints the same page."
)


def pages() -> dict[str, str]:
    """Every file of the folder, by name."""
    rules = sorted(all_rules(), key=lambda rule: rule.id)
    return {INDEX: _index(rules), **{f"{rule.id}.md": page(rule) for rule in rules}}


def page(rule: Rule) -> str:
    """One rule's page."""
    parts = [
        _HEAD,
        f"# {rule.id}",
        rule.doc.summary,
        "\n".join(("| default severity | area | who mends it |", "| --- | --- | --- |", _row(rule))),
        f"## Why\n\n{rule.doc.why}",
        f"## Fix\n\n{rule.doc.fix}",
        *(f"## Bad\n\n```\n{example.world.rstrip()}\n```" for example in rule.doc.bad),
        *(f"## Good\n\n```\n{example.world.rstrip()}\n```" for example in rule.doc.good),
        "## References\n\n" + "\n".join(f"* {reference}" for reference in rule.references),
    ]
    return "\n\n".join(parts) + "\n"


def _row(rule: Rule) -> str:
    return f"| {rule.severity.value} | {rule.area} | {_WHO.get(rule.who.value, rule.who.value)} |"


def _index(rules: Iterable[Rule]) -> str:
    parts = [
        _HEAD,
        "# The rules",
        _ABOUT,
    ]
    for area, members in groupby(sorted(rules, key=lambda rule: (rule.area, rule.id)), key=lambda rule: rule.area):
        rows = [f"| [{rule.id}]({rule.id}.md) | {rule.severity.value} | {rule.doc.summary} |" for rule in members]
        parts.append("\n".join([f"## {area}", "", "| rule | severity | what is wrong |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


def stale() -> list[str]:
    """The files that are missing, differ, or belong to no rule any more."""
    wanted = pages()
    found = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def main(words: list[str]) -> int:
    """The exit code."""
    differing = stale()
    if "--check" in words:
        for name in differing:
            print(f"docs/rules/{name} is not what the rules say; run: make docs", file=sys.stderr)
        return 1 if differing else 0
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for name in differing:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], "utf-8")
        else:
            (FOLDER / name).unlink()
    print(f"docs/rules: {len(wanted)} pages, {len(differing)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
