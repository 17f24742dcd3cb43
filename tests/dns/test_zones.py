"""Zone files in front of the DNS."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deliverkit.dns.build import open_port
from deliverkit.dns.options import DnsOptions, DnsOptionsError
from deliverkit.dns.overlay import Offline, Overlay, read_zones
from deliverkit.model import Lookup, LookupOutcome, Note, Txt
from deliverkit.world import World

ZONE = """$ORIGIN example.com.
@        SOA   ns hostmaster 1 2 3 4 5
@        NS    ns
@        MX    10 mail
mail     A     192.0.2.1
alias    CNAME mail
out      CNAME www.example.net.
*.wild   TXT   "any"
a.b.deep TXT   "x"
sub      NS    ns.sub
ns.sub   A     192.0.2.2
data     NS    ns
data     TXT   "not delegated"
broken   TXT   SERVFAIL
"""
LIVE = """$ORIGIN example.net.
www A 198.51.100.1
back CNAME mail.example.com.
$ORIGIN example.com.
sub TXT "child"
extra TXT "live"
"""


def ask(
    tmp_path: Path, name: str, rdtype: str, *, partial: bool = False, text: str = ZONE
) -> tuple[Lookup, list[tuple[str, str]]]:
    path = tmp_path / "example.com.zone"
    path.write_text(text)
    behind = World(LIVE)
    return asyncio.run(Overlay(read_zones((path,)), behind, partial=partial).lookup(name, rdtype)), behind.asked


@pytest.mark.parametrize(
    ("name", "rdtype", "outcome"),
    [
        ("example.com", "MX", LookupOutcome.FOUND),
        ("EXAMPLE.com.", "TXT", LookupOutcome.NODATA),
        ("nothing.example.com", "A", LookupOutcome.NXDOMAIN),
        ("alias.example.com", "A", LookupOutcome.FOUND),
        ("x.wild.example.com", "TXT", LookupOutcome.FOUND),
        ("x.y.wild.example.com", "TXT", LookupOutcome.FOUND),
        ("x.wild.example.com", "A", LookupOutcome.NODATA),
        ("wild.example.com", "TXT", LookupOutcome.NODATA),
        ("deep.example.com", "TXT", LookupOutcome.NODATA),
        ("c.deep.example.com", "TXT", LookupOutcome.NXDOMAIN),
        ("data.example.com", "TXT", LookupOutcome.FOUND),
        ("x.data.example.com", "TXT", LookupOutcome.NXDOMAIN),
        ("broken.example.com", "TXT", LookupOutcome.UNKNOWN),
    ],
)
def test_inside_the_zone_nothing_is_asked(tmp_path: Path, name: str, rdtype: str, outcome: LookupOutcome) -> None:
    lookup, asked = ask(tmp_path, name, rdtype)
    assert lookup.outcome is outcome
    assert lookup.server == f"zone {tmp_path / 'example.com.zone'}"
    assert not asked


@pytest.mark.parametrize("name", ["www.example.net", "sub.example.com", "x.sub.example.com", "example.org", "com"])
def test_outside_and_delegated_names_are_live(tmp_path: Path, name: str) -> None:
    _, asked = ask(tmp_path, name, "TXT")
    assert asked == [(name, "TXT")]


def test_an_alias_leads_out_of_the_zone_and_back_in(tmp_path: Path) -> None:
    lookup, asked = ask(tmp_path, "out.example.com", "A")
    assert lookup.name == "out.example.com"
    assert lookup.aliases == ("www.example.net",)
    assert asked == [("www.example.net", "A")]
    lookup, _ = ask(tmp_path, "back.example.net", "MX")
    assert lookup.aliases == ("mail.example.com",)
    assert lookup.server.startswith("zone ")


def test_a_partial_zone_asks_for_what_it_lacks(tmp_path: Path) -> None:
    lookup, asked = ask(tmp_path, "extra.example.com", "TXT", partial=True)
    assert lookup.records == (Txt((b"live",)),)
    assert asked == [("extra.example.com", "TXT")]
    assert ask(tmp_path, "example.com", "MX", partial=True)[1] == []


@pytest.mark.parametrize(
    ("file", "text", "inside", "outside"),
    [
        ("example.com.zone", '@ TXT "x"\n', "a.example.com", "example.net"),
        ("db.example.com", '@ TXT "x"\n', "a.example.com", "example.net"),
        ("any", '$ORIGIN example.com.\nx TXT "x"\n', "a.example.com", "example.net"),
        ("any", 'example.com. TXT "x"\n_dmarc.example.com. TXT "y"\n', "a.example.com", "example.net"),
        ("any", ". SOA ns. h. 1 2 3 4 5\nexample.com. NS ns.\n", "example.com", None),
    ],
)
def test_where_a_zone_begins(tmp_path: Path, file: str, text: str, inside: str, outside: str | None) -> None:
    path = tmp_path / file
    path.write_text(text)
    zones = read_zones((path,))
    assert isinstance(zones.resolve(inside, "TXT"), Lookup)
    if outside:
        assert not isinstance(zones.resolve(outside, "TXT"), Lookup)


def test_a_file_that_cannot_be_read_names_path_and_line(tmp_path: Path) -> None:
    path = tmp_path / "example.com.zone"
    path.write_text('@ TXT "x"\n@ MX nonsense\n')

    async def run(*paths: Path) -> None:
        async with open_port(DnsOptions(zones=paths, offline=True)):
            pass

    with pytest.raises(DnsOptionsError, match=r"example\.com\.zone:2"):
        asyncio.run(run(path))
    with pytest.raises(DnsOptionsError, match="no such file"):
        asyncio.run(run(tmp_path / "none.zone"))


def test_offline_says_so() -> None:
    lookup = asyncio.run(Offline().lookup("example.com", "TXT"))
    assert lookup.outcome is LookupOutcome.UNKNOWN
    assert "not asked: --offline" in lookup.why
    assert "example.com TXT" in lookup.why


def test_a_loop_between_zone_and_live_ends(tmp_path: Path) -> None:
    path = tmp_path / "example.com.zone"
    path.write_text("@ SOA ns h 1 2 3 4 5\nx CNAME x.example.net.\n")
    overlay = Overlay(read_zones((path,)), World("x.example.net. CNAME x.example.com.\n"))
    lookup = asyncio.run(overlay.lookup("x.example.com", "TXT"))
    assert lookup.outcome is LookupOutcome.UNKNOWN
    assert Note.CNAME_LOOP in lookup.notes
