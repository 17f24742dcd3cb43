"""Reports whose every free text is hostile, built from the report's own types: a new field is hostile by itself."""

from __future__ import annotations

import types
from collections.abc import Callable
from random import Random
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from deliverkit.model import AREAS
from deliverkit.report import Report
from deliverkit.rules import all_rules

PAYLOADS = (
    "<script>alert(1)</script>",
    "</pre></details></style><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "<!-- ",
    "]]> &lt;b&gt; &#60;b&#62;",
    "{{ 7 * 7 }}{% raw %}",
    "[x](https://evil.example/) ![x](https://evil.example/x.png) [x]: https://evil.example/",
    "https://evil.example/ www.evil.example <https://evil.example/> reports@evil.example",
    "@everyone #1 GH-1 !1 owner/name#1 0123456789abcdef0123456789abcdef01234567",
    "`a`x`<img src=x>``<b>```",
    "```\n# heading\n- list\n> quote\n```",
    "| a | b |\n| --- | --- |\n| \\| `|` |",
    "</details>\n\n<details open>",
    "::error file=x::y\n::stop-commands::x\n  ::set-output name=a::b",
    "##[error]x ##vso[task.setvariable variable=a]b",
    "\x1b[31m\x1b]8;;https://evil.example\x07x\x9b2J",
    "\u202egpj.exe\u2066\u200b\u2028\ud800\x00",
    "e" + "\u0301" * 40,
    "\\",
    "`",
    "``",
    "    indented\n\n\tcode",
    "=1+1",
    "RFC 7208 §4.6.4](javascript:alert(1))",
    "-",
    "1. one",
    "",
    " ",
)
RULES = tuple(sorted(rule.id for rule in all_rules()))
REFERENCES = ("RFC 7208 §4.6.4", "RFC 9989 Appendix C", *PAYLOADS)
WORDS: dict[str, Callable[[Random], Any]] = {
    "severity": lambda random: random.choice(("error", "warning", "notice")),
    "area": lambda random: random.choice(AREAS),
    "rule": lambda random: random.choice(RULES),
    "passed": lambda random: tuple(random.sample(RULES, random.randint(0, 12))),
    "part_of": lambda random: random.choice((None, None, random.choice(RULES))),
    "who": lambda random: random.choice(("dns-admin", "mail-admin", "nobody")),
    "references": lambda random: tuple(random.choices(REFERENCES, k=random.randint(0, 3))),
}
"""Fields whose words are ours, whatever a peer says."""
_DEEP = 14


def report(seed: int) -> Report:
    """A report that is the same for the same seed."""
    made: Report = _of(Report, Random(seed), 0)
    return made


def _of(kind: Any, random: Random, depth: int) -> Any:  # noqa: PLR0911 - a line a kind
    if kind is str:
        return _text(random)
    if kind is int:
        return random.choice((-1, 0, 1, 25, 587, random.randint(-3, 9_999_999)))
    if kind is float:
        return random.choice((0.0, 11.4, random.uniform(0, 99_999)))
    if kind is bool:
        return random.random() < 0.5
    if kind in (type(None), msgspec.UnsetType):
        return None if kind is type(None) else msgspec.UNSET
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return random.choice(args)
    if origin in (Union, types.UnionType):
        empty = [arg for arg in args if arg in (type(None), msgspec.UnsetType)]
        return _of(random.choice(empty if empty and depth > _DEEP else args), random, depth)
    if origin is tuple:
        return tuple(_of(args[0], random, depth + 1) for _ in range(0 if depth > _DEEP else random.randint(0, 3)))
    if origin is dict:
        return {_of(args[0], random, depth): _of(args[1], random, depth) for _ in range(random.randint(0, 2))}
    fields = get_type_hints(kind).items()
    return kind(
        **{name: WORDS[name](random) if name in WORDS else _of(hint, random, depth + 1) for name, hint in fields}
    )


def _text(random: Random) -> str:
    return "".join(random.choice((*PAYLOADS, chr(random.randrange(0x3000)))) for _ in range(random.randint(1, 3)))
