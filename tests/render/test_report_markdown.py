"""Markdown: what a forge makes of it is what was meant, whatever a peer wrote."""

from __future__ import annotations

import re

import evil
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from markdown_it import MarkdownIt
from session_reports import endpoint, finding, report

from deliverkit.render.formats import View
from deliverkit.render.markdown import report as markdown
from deliverkit.render.markdown.marks import code, prose
from deliverkit.report.document import ChangeReport, ExhibitReport, InconclusiveReport, MarkReport

FOLD = re.compile(r"<details>\n<summary>[A-Za-z0-9 :-]+</summary>|</details>")
LINK = re.compile(r"https://www\.rfc-editor\.org/rfc/rfc[0-9]+(#(section|appendix)-[A-Z0-9.]+)?")
ACTING = re.compile(r"[@<>]|#[0-9]|[!%][0-9]|GH-[0-9]|://|www\.|\b[0-9a-f]{40}\b", re.IGNORECASE)
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def render(report, command="check", **more):
    return markdown.render(report, View(command=command), **more)


def tokens(text):
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def check(text):
    """No HTML but what folds, no link but to an RFC, no image; nothing outside code that a forge would act on."""
    depth = 0
    for token in tokens(text):
        if token.type in ("html_block", "html_inline"):
            assert FOLD.fullmatch(token.content.strip()), token.content
            depth += 1 if token.content.startswith("<details>") else -1
        elif token.type == "link_open":
            assert LINK.fullmatch(token.attrs["href"]), token.attrs
        elif token.type == "text":
            assert not ACTING.search(token.content), token.content
        assert token.type not in ("image", "blockquote_open", "s_open")
    assert depth == 0
    assert not re.search(r"(?m)^\s*::", text)
    assert not re.search(r"##(\[|[A-Za-z]{1,32}\[)", text)
    assert all(char == "\n" or char.isprintable() for char in text)


@given(st.integers(0, 2**32), st.sampled_from(["check", "spf", "smtp", "dmarc"]))
def test_nothing_of_a_peer_is_markup(seed, command):
    check(render(evil.report(seed), command=command))


@given(
    st.lists(st.sampled_from(evil.PAYLOADS) | st.text("`<>a |\\!:@#[]()*_~ \n", max_size=12), max_size=4).map("".join)
)
def test_prose_and_code_hold_anything(text):
    check(prose(text) + "\n")
    spans = [token for token in tokens(f"x {code(text)} x") if token.type == "code_inline"]
    assert len(spans) <= 1
    check(f"x {code(text)} x")


@given(st.integers(0, 2**32))
def test_every_row_of_a_table_has_as_many_cells_as_its_head(seed):
    columns = cells = 0
    for token in tokens(render(evil.report(seed))):
        columns = {"table_open": 0, "th_open": columns + 1}.get(token.type, columns)
        cells = {"tr_open": 0, "td_open": cells + 1}.get(token.type, cells)
        if token.type == "tr_close" and cells:
            assert cells == columns


@given(st.integers(0, 2**32), st.sampled_from([3_000, 20_000, 60_000]))
def test_it_keeps_to_its_limit(seed, limit):
    text = render(evil.report(seed), limit=limit)
    assert len(text.encode()) <= limit or limit == 3_000
    check(text)


def test_many_targets_that_are_large_stay_under_a_mebibyte():
    long = finding("mx-missing", "x", "no MX", exhibits=(ExhibitReport(title="x TXT", text="<" * 4000, marks=()),) * 6)
    one = report(endpoint(), findings=(long,) * 20).targets[0]
    made = msgspec.structs.replace(report(endpoint()), targets=(one,) * 300)
    text = render(made)
    assert len(text.encode()) < 2**20
    assert "did not fit here" in text or text.count("✗ fail: `mail.example.com`") == 300


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("`a`x`<img src=x>", "`a` ``x`<img`` `src=x>`"),
        ("see GH-12 and 0123456789abcdef0", "see `GH-12` and `0123456789abcdef0`"),
        ("- a", "`-` a"),
    ],
)
def test_prose(text, shown):
    assert prose(text) == shown


def test_a_report():
    record = "v=spf1 include:a.example |b` -all"
    made = report(
        findings=(
            finding(
                "spf-too-many-lookups", "mail.example.com", "takes 12 lookups", area="spf", who="dns-admin",
                exhibits=(ExhibitReport(title="mail.example.com TXT", text=record,
                                        marks=(MarkReport(start=7, end=24, note="4 lookups"),)),),
                change=ChangeReport(name="mail.example.com", rdtype="TXT", before=record, after="v=spf1 -all"),
                fix="remove `include:a.example`", references=("RFC 7208 §4.6.4",),
            ),
        ),
        unclear=(InconclusiveReport(rule="mx-missing", area="mx", severity="warning", why="SERVFAIL for <x> MX"),),
        passed=("mx-is-ip",),
    )  # fmt: skip
    assert render(made) == snapshot("""\
# ✗ fail: `mail.example.com`

1 error · 40 passed · 1 not determined

## ✗ error: `spf-too-many-lookups`

Takes 12 lookups.

**Who** DNS administrator

```text
mail.example.com TXT
  v=spf1 include:a.example |b` -all
         ^^^^^^^^^^^^^^^^^ 4 lookups
```

**Fix** Remove `include:a.example`.

Change at mail.example.com TXT:

```diff
- v=spf1 include:a.example |b` -all
+ v=spf1 -all
```

[RFC 7208 §4.6.4](https://www.rfc-editor.org/rfc/rfc7208#section-4.6.4), `deliverkit explain spf-too-many-lookups`

## ? not determined

- SERVFAIL for `<x>` MX: `mx-missing`

**Next** `deliverkit spf mail.example.com`: the include tree, with what each term costs

<details>
<summary>1 passed</summary>

- mx: `mx-is-ip`

</details>

---

deliverkit 0, `2026-11-01T00:00:00Z`, 0.4 s; no resolver was asked
""")
