"""Which addresses one SPF tree authorises and the other does not: arithmetic on spans."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.report.diff_change import listed
from deliverkit.report.diff_spf import Span, difference, merged, spans_of
from deliverkit.report.spf import NodeReport, TermReport


def spans(*networks: str) -> list[Span]:
    found = []
    for text in networks:
        network = ipaddress.ip_network(text)
        found.append((network.version, int(network[0]), int(network[-1])))
    return merged(found)


def numbers(found: list[Span]) -> set[int]:
    return {number for _, first, last in found for number in range(first, last + 1)}


def test_neighbours_are_one_span() -> None:
    assert spans("192.0.2.0/25", "192.0.2.128/25") == spans("192.0.2.0/24")


def test_what_is_left_of_a_network_stands_on_both_sides() -> None:
    left = difference(spans("192.0.2.0/24"), spans("192.0.2.64/26"))
    assert left == spans("192.0.2.0/26", "192.0.2.128/25")


def test_the_families_are_apart() -> None:
    assert difference(spans("0.0.0.1/32"), spans("::1/128")) == spans("0.0.0.1/32")


SPANS = st.lists(st.tuples(st.just(4), st.integers(0, 60), st.integers(0, 9)), max_size=8)


@given(SPANS, SPANS)
def test_the_difference_is_that_of_the_sets(some: list[Span], others: list[Span]) -> None:
    one, other = (merged([(version, first, first + size) for version, first, size in each]) for each in (some, others))
    assert numbers(difference(one, other)) == numbers(one) - numbers(other)


def term(text: str, *authorizes: str, note: str | None = None, child: NodeReport | None = None) -> TermReport:
    return TermReport(
        term=text, start=0, end=0, lookups=0, total=0, void=False, authorizes=authorizes,
        authorized_count=len(authorizes), note=note, why=None, child=child,
    )  # fmt: skip


def node(*terms: TermReport) -> NodeReport:
    return NodeReport(domain="d", via="root", record="x", why=None, lookups=0, void_lookups=0, terms=terms)


def test_only_what_passes_is_authorised() -> None:
    tree = node(
        term("ip4:192.0.2.1", "192.0.2.1"),
        term("-ip4:192.0.2.2", "192.0.2.2"),
        term("ip4:192.0.2.3", "192.0.2.3", note="ignored"),
        term("include:x", child=node(term("+ip4:192.0.2.4/31", "192.0.2.4/31"))),
        term("?include:y", child=node(term("ip4:192.0.2.9", "192.0.2.9"))),
    )
    assert spans_of(tree) == spans("192.0.2.1/32", "192.0.2.4/31")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        ([*"abcdefgh"], "a, b, c, d, e, f and 2 more"),
    ],
)
def test_lists_are_sentences(words: list[str], said: str) -> None:
    assert listed(words) == said
