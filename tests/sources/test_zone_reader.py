"""Master files: every record at its place, and reading goes on after what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverkit.model import Address, Host, Mx, Source, Txt
from deliverkit.sources import SourceError, read, read_text
from deliverkit.sources.zone import MAX_PROBLEMS, seconds_of


def zone(text: str, name: str = "example.com.zone", origin: str | None = None) -> Source:
    return read_text(text, Path(name), origin)


def places(source: Source) -> list[tuple[str, str, int, int]]:
    return [(r.name, r.rdtype, r.place.line, r.place.column) for r in source.records]


@pytest.mark.parametrize("text", ["", "\n \t\r\n"])
def test_an_empty_file_is_no_zone(text):
    (problem,) = zone(text).problems
    assert (problem.message, problem.place.line, problem.place.column) == ("the file is empty", 1, 1)


def test_an_empty_file_may_be_included(tmp_path):
    (tmp_path / "none.inc").write_text("\n")
    (tmp_path / "example.com.zone").write_text("$INCLUDE none.inc\n@ A 192.0.2.1\n")
    source = read(tmp_path / "example.com.zone")
    assert source.problems == ()
    assert len(source.records) == 1


def test_places_of_every_form():
    source = zone(
        "; a remark\n"
        "$TTL 1h\n"
        "@  IN 300 SOA ns1 hostmaster (\n"
        "      1 ; serial\n"
        "      3600 900 604800 300 )\n"
        "   300 IN NS ns1.example.net.\n"
        "\n"
        'www TXT "a;b" ( "c"\n'
        '  "d\\"e" )   ; end\n'
        "\tA 192.0.2.1\r\n"
        "$ORIGIN sub.example.com.\n"
        "@ MX 10 mail\n"
    )
    assert source.problems == ()
    assert source.zones == ("example.com",)
    assert places(source) == [
        ("example.com", "SOA", 3, 1),
        ("example.com", "NS", 6, 4),
        ("www.example.com", "TXT", 8, 1),
        ("www.example.com", "A", 10, 2),
        ("sub.example.com", "MX", 12, 1),
    ]
    assert [record.ttl for record in source.records] == [300, 300, 3600, 3600, 3600]
    text = source.records[2]
    assert text.rdata == Txt((b"a;b", b"c", b'd"e'))
    assert [(word.place.line, word.place.column, word.quoted) for word in text.words] == [
        (8, 9, True),
        (8, 17, True),
        (9, 3, True),
    ]
    assert text.comment == "end"
    assert text.last == 9
    assert source.records[4].rdata == Mx(10, "mail.sub.example.com")


def test_an_error_is_told_and_left_behind():
    source = zone(
        "@ SOA ns1 hostmaster 1 3600 900 604800 300\n"
        "@ MX ten mail\n"
        '@ TXT "never closed\n'
        "bad A 192.0.2.256\n"
        "@ TXD text\n"
        "$NONSENSE x\n"
        "@ A 192.0.2.1 )\n"
        "good A 192.0.2.1\n"
    )
    assert [(p.place.line, p.place.column) for p in source.problems] == [
        (2, 6), (3, 7), (4, 7), (5, 3), (6, 1), (7, 15),
    ]  # fmt: skip
    assert source.records[-1].name == "good.example.com"
    assert source.records[-1].rdata == Address("192.0.2.1")


def test_a_parenthesis_never_closed_does_not_swallow_the_rest():
    source = zone('@ TXT ( "a"\nwww A 192.0.2.1\nmail A 192.0.2.2\n')
    assert [(p.place.line, p.place.column) for p in source.problems] == [(1, 7)]
    assert [record.name for record in source.records] == ["www.example.com", "mail.example.com"]


def test_a_parenthesis_closed_by_the_next_records_is_told_at_its_own_line():
    source = zone('@ TXT ( "a"\nwww TXT ( "b"\n  "c" )\nmail A 192.0.2.1\n')
    assert [p.place.line for p in source.problems] == [1]
    assert [record.name for record in source.records] == ["www.example.com", "mail.example.com"]


def test_duplicates_stay():
    source = zone('@ TXT "x"\n@ TXT "x"\n')
    assert len(source.records) == 2


@pytest.mark.parametrize(
    ("prefix", "ttl"),
    [("", None), ("IN", None), ("300", 300), ("IN 300", 300), ("300 IN", 300), ("1h30m IN", 5400), ("in 1D", 86_400)],
)
def test_ttl_and_class_in_either_order(prefix: str, ttl: int | None):
    (record,) = zone(f"@ {prefix} A 192.0.2.1\n").records
    assert record.ttl == ttl


@pytest.mark.parametrize("text", ["", "x", "1x", "h", "1h 2", "-1"])
def test_no_ttl(text: str):
    assert seconds_of(text) is None


def test_the_origin_is_the_files_name_else_what_was_said():
    assert zone("www A 192.0.2.1\n", "db.example.org").records[0].name == "www.example.org"
    assert zone("www A 192.0.2.1\n", "db.example.org", "example.net").records[0].name == "www.example.net"
    source = zone("www A 192.0.2.1\nmail A 192.0.2.1\n", "records")
    assert len(source.problems) == 1
    assert "no $ORIGIN" in source.problems[0].message
    assert zone("www.example.org. A 192.0.2.1\n", "records").problems == ()


def test_odd_octets(tmp_path: Path):
    path = tmp_path / "example.com.zone"
    path.write_bytes(b'\xef\xbb\xbf@ TXT "caf\xe9" "\\233"\r\n')
    (record,) = read(path).records
    assert record.rdata == Txt((b"caf\xe9", b"\xe9"))
    assert record.place.column == 1


def test_a_blank_that_is_not_ascii_is_named():
    (problem,) = zone("@ TXT\u00a0 x\n").problems
    assert "blank" in problem.message


def test_a_type_at_the_start_of_a_line_is_named():
    (problem,) = zone("MX 10 mail\n").problems
    assert "taken for a name" in problem.message


def test_generate():
    source = zone(
        "$GENERATE 1-3 host$ A 192.0.2.$\n$GENERATE 8-12/2 ${0,3,d}.x CNAME ${-8,2,x}.$$.y\nwww A 192.0.2.9\n"
    )
    assert source.problems == ()
    assert places(source)[:3] == [(f"host{n}.example.com", "A", 1, 1) for n in (1, 2, 3)]
    assert [r.rdata for r in source.records[3:6]] == [Host(f"{n:02x}.\\$.y.example.com") for n in (0, 2, 4)]
    assert source.records[3].name == "008.x.example.com"
    assert source.records[3].generated
    assert not source.records[-1].generated


@pytest.mark.parametrize(
    "line",
    ["1-9999999 h$ A 192.0.2.1", "5-1 h$ A 192.0.2.1", "1-2/0 h$ A 192.0.2.1", "1-2 h${0,3,q} A 192.0.2.1", "1-2 h$"],
)
def test_generate_is_bounded(line: str):
    source = zone(f"$GENERATE {line}\nwww A 192.0.2.1\n")
    assert [p.kind for p in source.problems] == ["generate"]
    assert [record.name for record in source.records] == ["www.example.com"]


def test_include(tmp_path: Path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "s1.inc").write_text('s1._domainkey TXT "v=DKIM1; p="\n$ORIGIN elsewhere.\n')
    main = tmp_path / "example.com.zone"
    main.write_text("$INCLUDE keys/s1.inc\nwww A 192.0.2.1\n$INCLUDE keys/s1.inc sub\n$INCLUDE gone.inc\n")
    source = read(main)
    assert [record.name for record in source.records] == [
        "s1._domainkey.example.com",
        "www.example.com",
        "s1._domainkey.sub.example.com",
    ]
    assert source.records[0].place.path.endswith("keys/s1.inc")
    assert source.records[0].place.line == 1
    assert [(p.kind, p.place.line, p.place.column) for p in source.problems] == [("include", 4, 10)]


def test_includes_in_a_circle_end(tmp_path: Path):
    for number in range(15):
        (tmp_path / f"{number}.zone").write_text(f"$INCLUDE {number + 1}.zone\n")
    (tmp_path / "loop.zone").write_text("$INCLUDE loop.zone\n$INCLUDE 0.zone\n$INCLUDE .\n")
    problems = read(tmp_path / "loop.zone", "example.com").problems
    assert [
        next(words for words in ("includes itself", "too many files", "not a file") if words in p.message)
        for p in problems
    ] == ["includes itself", "too many files", "not a file"]


def test_ignores():
    source = zone(
        "; deliverkit: ignore[spf-no-all] until=2027-01-31 OPS-1: soon\n"
        '@ TXT ( "v=spf1"\n'
        "  )\n"
        "www A 192.0.2.1 ; deliverkit: ignore[dns, zone-ttl-mismatch]\n"
        "www A 192.0.2.2 ; deliverkit: ignore[mx] until=soon reason\n"
    )
    first, *others = source.ignores
    assert (first.rule, first.first, first.last, first.reason) == ("spf-no-all", 2, 3, "OPS-1: soon")
    assert str(first.expires) == "2027-01-31"
    assert first.place.line == 1
    assert [(o.rule, o.first, o.reason) for o in others] == [
        ("dns", 4, None), ("zone-ttl-mismatch", 4, None), ("mx", 5, "reason"),
    ]  # fmt: skip
    assert others[-1].problem


def test_not_a_file(tmp_path: Path):
    import os

    os.mkfifo(tmp_path / "pipe.zone")
    for name in ("pipe.zone", "gone.zone", "."):
        with pytest.raises(SourceError):
            read(tmp_path / name)


def test_problems_are_bounded():
    source = zone("x Y z\n" * 5000)
    assert len(source.problems) == MAX_PROBLEMS + 1


@settings(max_examples=300)
@given(st.lists(st.sampled_from([
    "@", "www", " ", "\t", "\n", "\r\n", "(", ")", '"', "\\", ";", "$ORIGIN", "$TTL", "$GENERATE", "$INCLUDE",
    "1-3",
    "${0,2,n}", "$", "TXT", "MX", "A", "CNAME", "SOA", "TLSA", "CAA", "TYPE65280", "\\# 1 00", "IN", "300", "10",
    "mail.",
    "192.0.2.1", "é",
    "\u202e", "\x00", "\ud800", "\\300", "a" * 64, "::1", "3 1 1 aa", "deliverkit: ignore[x]",
]), max_size=60))  # fmt: skip
def test_whatever_stands_in_a_file_is_read_to_its_end(parts: list[str]):
    text = " ".join(parts)
    lines = text.count("\n") + 1
    source = zone(text)
    for place in [*(r.place for r in source.records), *(p.place for p in source.problems)]:
        assert 1 <= place.line <= lines
        assert place.column >= 1


@settings(max_examples=200)
@given(st.text(max_size=400))
def test_any_text_is_read(text: str):
    zone(text)


@pytest.mark.parametrize("wanted", ["{outside}/secret", "../../outside/secret", "link"])
def test_what_lies_outside_the_repository_is_not_read(tmp_path: Path, wanted: str):
    outside, zones = tmp_path / "outside", tmp_path / "repository" / "zones"
    outside.mkdir()
    zones.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    (outside / "secret").write_text("root:x:0:0 canary-4711\n")
    (zones / "link").symlink_to(outside / "secret")
    (tmp_path / "repository" / "shared.inc").write_text("www A 192.0.2.1\n")
    main = zones / "example.com.zone"
    main.write_text(f"$INCLUDE {wanted.format(outside=outside)}\n$INCLUDE ../shared.inc\n")
    source = read(main)
    assert [record.name for record in source.records] == ["www.example.com"]
    assert len(source.problems) == 1
    assert "is not read" in source.problems[0].message
    assert "canary" not in str(source)
