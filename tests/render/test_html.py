"""The HTML page: whole, readable, and nothing in it made by a peer."""

from __future__ import annotations

import html.parser
import itertools
import re
from importlib import resources

import evil
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_reports import endpoint, finding, report, say

from deliverkit.render.formats import View
from deliverkit.render.html import page as html_page
from deliverkit.render.overview import page_of
from deliverkit.report.document import ChangeReport, ExhibitReport, Location, MarkReport, SuppressedReport

VOID = {"meta", "br"}
TAGS = {
    *VOID, "html", "head", "title", "style", "body", "header", "main", "section", "footer", "article", "details", "div",
    "summary", "h1", "h2", "h3", "h4", "h5", "p", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead",
    "tbody",
    "tr", "th", "td", "figure", "figcaption", "pre", "code", "mark", "sup", "del", "ins", "span", "strong", "a", "time",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "id", "class", "href", "rel", "scope", "role", "tabindex",
    "open", "value", "datetime", "aria-label", "aria-labelledby", "aria-hidden",
}  # fmt: skip
HREF = re.compile(r"#[A-Za-z0-9.-]+|https://www\.rfc-editor\.org/rfc/rfc[0-9]+(#(section|appendix)-[A-Z0-9.]+)?")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(report, command="check", **more):
    return html_page.render(report, View(command=command), **more)


class Page(html.parser.HTMLParser):
    """The elements of a page, its text by element, and whether each was closed where it was opened."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.stack, self.comments = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.stack, self.stack

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), "an attribute twice"
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        self.texts.append((self.stack[-1] if self.stack else "", data))

    def handle_comment(self, data):
        self.comments.append(data)

    def of(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    def text(self, *tags):
        return "".join(data for tag, data in self.texts if not tags or tag in tags)


def spf_finding(**more):
    record = "v=spf1 include:a.example include:b.example -all"
    fields = {
        "exhibits": (
            ExhibitReport(
                title="example.com TXT",
                text=record,
                marks=(MarkReport(start=7, end=24, note="4 lookups"), MarkReport(start=25, end=42, note="")),
            ),
        ),
        "change": ChangeReport(name="example.com", rdtype="TXT", before=record, after="v=spf1 include:a.example -all"),
        "fix": "remove `include:b.example`\n\n- one\n- two\n\n    zone text",
        "references": ("RFC 7208 §4.6.4", "RFC 9989 Appendix C", "CVE-2011-0411"),
        "location": Location(path="zones/example.com.zone", line=12, column=3),
        **more,
    }
    return finding("spf-too-many-lookups", "example.com", "takes 12 lookups", **fields)


@given(st.integers(0, 2**32))
def test_no_element_attribute_or_link_comes_from_a_peer(seed):
    page = Page(render(evil.report(seed)))
    assert {tag for tag, _ in page.elements} <= TAGS
    assert {name for _, attrs in page.elements for name in attrs} <= ATTRIBUTES
    assert all(HREF.fullmatch(attrs["href"]) for attrs in page.of("a"))
    assert [attrs["content"] for attrs in page.of("meta") if "http-equiv" in attrs] == [POLICY]
    assert len(page.of("style")) == len(page.of("title")) == 1
    assert page.comments == []


@given(st.integers(0, 2**32))
def test_nothing_acts_on_a_terminal_a_reader_or_a_ci_runner(seed):
    text = render(evil.report(seed))
    assert all(char == "\n" or char.isprintable() for char in text)
    assert not re.search(r"(?m)^\s*::", text)
    assert not re.search(r"##(\[|[A-Za-z]{1,32}\[)", text)
    text.encode()


@given(st.integers(0, 2**32))
def test_anchors_are_given_once_and_links_lead_to_one(seed):
    page = Page(render(evil.report(seed)))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for attrs in page.of("a") if attrs["href"][0] == "#"} <= set(ids)
    assert {attrs["aria-labelledby"] for _, attrs in page.elements if "aria-labelledby" in attrs} <= set(ids)


@pytest.mark.parametrize(
    "payload", [text for text in evil.PAYLOADS if text.strip() and text.isascii() and text.isprintable()]
)
def test_a_hostile_text_is_shown_as_it_is(payload):
    page = Page(render(report(endpoint(banner=payload), findings=(spf_finding(exhibits=(ExhibitReport(
        title="", text=payload, marks=()),)),))))  # fmt: skip
    assert payload in page.text("code")
    assert payload in page.text("pre")


def test_evidence_is_marked_and_its_notes_numbered():
    page = Page(render(report(endpoint(), findings=(spf_finding(),))))
    assert page.text("mark") == "include:a.exampleinclude:b.example"
    assert page.text("sup") == "1"
    assert [attrs["value"] for attrs in page.of("li") if "value" in attrs] == ["1"]
    assert "include:a.example: 4 lookups" in page.text("code", "li")


def test_marks_that_overlap_or_lie_beyond_the_text_lose_nothing():
    marks = tuple(
        MarkReport(start=start, end=end, note="n") for start, end in ((0, 4), (2, 6), (3, 3), (-5, 2), (9, 90), (7, 2))
    )
    shown = ExhibitReport(title="x TXT", text="0123456789", marks=marks)
    page = Page(render(report(endpoint(), findings=(spf_finding(exhibits=(shown,), change=None, fix="f"),))))
    assert page.text("pre", "mark") == "0123456789\n"


def test_the_fix_can_be_copied_without_its_signs():
    text = render(report(endpoint(), findings=(spf_finding(),)))
    page = Page(text)
    assert "v=spf1 include:a.example -all" in page.text("span")
    assert '<ins><span class="hand">+ </span><span class="value">v=spf1 include:a.example -all</span>' in text
    assert ".hand { user-select: none; }" in text
    assert "Remove " in page.text("p")
    assert "zone text\n" in page.text("pre")
    assert "zones/example.com.zone:12:3" in page.text("code")


def test_references_lead_to_the_rfc_at_its_section():
    page = Page(render(report(endpoint(), findings=(spf_finding(),))))
    links = [attrs["href"] for attrs in page.of("a") if attrs["href"].startswith("https:")]
    assert links == [
        "https://www.rfc-editor.org/rfc/rfc7208#section-4.6.4",
        "https://www.rfc-editor.org/rfc/rfc9989#appendix-C",
    ]
    assert "CVE-2011-0411" in page.text("p")


@pytest.mark.parametrize(
    "text", ["RFC 7208 §4.6.4\n", "RFC 0", "RFC 1 §x", "rfc 1", "RFC 1 §1](x", "javascript:RFC 1", "RFC ١"]
)
def test_what_is_no_reference_has_no_page(text):
    assert page_of(text) is None


def test_every_table_has_a_caption_and_heads_with_a_scope():
    text = render(
        report(endpoint(25), endpoint(587, transcript=say("S: 220 x")), findings=(spf_finding(),)), command="smtp"
    )
    page = Page(text)
    assert len(page.of("caption")) == len(page.of("table"))
    assert all(attrs["scope"] in ("row", "col") for attrs in page.of("th"))
    assert text.index("SMTP endpoints") < text.index("<h3>Findings</h3>")
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-5]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), (
        "a level of headings is passed over"
    )


def test_several_targets_have_a_table_that_leads_to_each():
    one = report(endpoint(), findings=(spf_finding(),))
    both = msgspec.structs.replace(one, targets=(one.targets[0], msgspec.structs.replace(one.targets[0], error="E: x")))
    page = Page(render(both))
    assert [attrs["href"] for attrs in page.of("a")][:2] == ["#target-mail.example.com", "#target-mail.example.com--2"]
    assert "2 targets" in page.text("h1")
    assert "not judged" in page.text("span")


def test_what_is_suppressed_passed_and_not_determined_is_told():
    suppressed = SuppressedReport(**msgspec.structs.asdict(spf_finding()), by="baseline")
    made = report(endpoint(), passed=("mx-missing", "spf-missing"))
    target = msgspec.structs.replace(made.targets[0], suppressed=(suppressed,))
    text = Page(render(msgspec.structs.replace(made, targets=(target,)))).text()
    assert "1 accepted, and therefore not counted" in text
    assert "baseline" in text
    assert "mx-missing" in text
    assert "No resolver was asked." in text


def test_it_needs_nothing_beside_it():
    text = render(report(endpoint(), findings=(spf_finding(),)))
    assert not re.search(r"@import|url\(|src=|<link|<script", text)
    assert text.startswith("<!DOCTYPE html>\n")
    assert len(text) < 40_000


def colours():
    css = resources.files("deliverkit.render.html").joinpath("style.css").read_text("utf-8")
    for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL):
        yield dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6});", block))


def luminance(colour):
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrasts_are_enough_for_small_text(scheme):
    named = list(colours())[scheme]
    inks = ("ink", "faint", "link", "error", "warning", "notice", "good", "unclear")
    pairs = [
        *itertools.product(inks, ("paper", "panel")),
        ("new-ink", "new"),
        ("gone-ink", "gone"),
        ("mark-ink", "mark"),
    ]
    for ink, ground in pairs:
        low, high = sorted((luminance(named[ink]), luminance(named[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)
