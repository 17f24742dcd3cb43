"""A delivery as Markdown: read by a parser, and nothing of a peer's becomes a mark."""

from __future__ import annotations

import re

import msgspec
import pytest
from deliveries import GREYLISTED, MESSAGE, STEPS, attempt, delivery, explained, result
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from markdown_it import MarkdownIt

from deliverkit.model import Stage, Step
from deliverkit.render.markdown.delivery import render
from deliverkit.render.markdown.marks import block, code, prose

EVIL = (
    "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "<details><summary>x",
    "`code` ``more`` ```fence",
    "```\n# head\n",
    "@everyone #1 https://evil.example www.evil.example",
    "| a | b |\n|---|---|",
    "&lt;b&gt; \\`x\\`",
    "- list\n1. list\n> quote",
    "\x1b[2J\u202e##[error]x",
    "$x$ ~~x~~ **x** __x__",
)
_OURS = frozenset({"heading", "bullet", "paragraph", "fence", "inline", "list", "text", "code", "strong", "softbreak"})


def kinds(text: str) -> set[str]:
    """The kinds of marks that a parser finds, with GitHub's tables and strikethrough."""
    found: set[str] = set()
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(text):
        for one in (token, *(token.children or ())):
            found.add(re.split(r"[_]", one.type)[0])
    return found


def test_a_ticket():
    report = explained(delivery(attempt(GREYLISTED, steps=STEPS)))
    assert render([report]).partition("```text\n===")[0] == snapshot("""\
## ◷ deferred at RCPT: `you@example.net`

- Message `<1@example.com>`, 734 octets, MAIL FROM `me@example.com`, From `me@example.com`, not signed
- Route `example.net`: `mx.example.net` `[192.0.2.25]:25`, MTA-STS none, DANE none
- 1970-01-01T00:00:00Z, 0.4 s, deliverkit 1

### `you@example.net`

```text
450 4.2.0 Greylisted, try again in 300 seconds
```

**temporary · greylisting · nobody has to act**

The server wants to see you come back.

**Why** It does not know you yet.

**Do** Come back from the same address.

### Attempt 1: `mx.example.net`, 1970-01-01T00:00:00Z

""")


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_of_a_peers_becomes_a_mark(evil: str):
    raw = evil.encode()
    steps = (Step(stage="banner", reply=b"220 " + raw + b"\r\n"), Step(stage="rcpt", reply=b"550 " + raw + b"\r\n"))
    refused = result("refused", Stage.RCPT, f"550 5.7.1 {evil}", why=evil)
    report = delivery(
        attempt(refused, steps=steps, notes=(evil,)),
        message=msgspec.structs.replace(MESSAGE, id=evil, from_address=evil, notes=(evil,), header=evil, body=evil),
        bounce=raw,
    )
    text = render([report])
    assert kinds(text) <= _OURS
    assert "##[" not in text
    assert all(char == "\n" or char.isprintable() for char in text)


@given(st.text(max_size=60))
def test_a_span_is_one_span(text: str):
    made = code(text)
    (paragraph,) = [
        token for token in MarkdownIt("gfm-like", {"linkify": False}).parse(f"x {made} x") if token.children
    ]
    spans = [child for child in paragraph.children or () if child.type == "code_inline"]
    assert len(spans) == bool(made)
    assert {child.type for child in paragraph.children or ()} <= {"text", "code_inline"}


@given(st.lists(st.sampled_from(["`", "``", "```", "~~~", "a", " ", "\n", "    ", "# x"]), max_size=30))
def test_a_block_ends_where_it_should(parts: list[str]):
    tokens = MarkdownIt("commonmark").parse(f"{block(''.join(parts))}\nafter\n")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


@given(st.text(st.sampled_from("ab1 .@#<>[]()*_|\\~&!`:/w-+="), max_size=40))
def test_a_sentence_makes_no_mark(text: str):
    assert kinds(prose(text)) <= {"paragraph", "inline", "text", "code"}


def test_commands_in_our_sentences_are_code():
    assert prose("Run `deliverkit check DOMAIN` for me@example.com.") == (
        "Run `deliverkit check DOMAIN` for `me@example.com`."
    )
