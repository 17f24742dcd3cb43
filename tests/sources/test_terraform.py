"""Plans and states, each provider by its own rules of quoting."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.model import Address, Host, Mx, Other, Txt
from deliverkit.sources import Source, read_text

FILE = Path("plan.json")


def resource(kind: str, values: dict[str, Any], address: str = "", mode: str = "managed") -> dict[str, Any]:
    return {"address": address or f"{kind}.x", "mode": mode, "type": kind, "name": "x", "values": values}


def plan(*resources: dict[str, Any], **more: Any) -> Source:
    planned = {"root_module": {"resources": list(resources)}}
    document = {"format_version": "1.2", "terraform_version": "1.9.5", "planned_values": planned, **more}
    return read_text(json.dumps(document, indent=1), FILE)


def told(source: Source) -> list[tuple[str, str, object]]:
    assert not source.problems
    return [(record.name, record.rdtype, record.rdata) for record in source.records]


def aws(**values: Any) -> dict[str, Any]:
    return resource("aws_route53_record", {"zone_id": "Z1", "ttl": 300, **values})


AWS_ZONE = resource("aws_route53_zone", {"zone_id": "Z1", "name": "example.com"})


def test_route53_ends_a_string_where_two_quotes_meet() -> None:
    found = plan(AWS_ZONE, aws(name="k._domainkey", type="TXT", records=['v=DKIM1; p=AAA""BBB']))
    assert told(found) == [("k._domainkey.example.com", "TXT", Txt((b"v=DKIM1; p=AAA", b"BBB")))]
    assert found.zones == ("example.com",)
    assert found.partial


def test_route53_publishes_a_long_string_as_it_is_written() -> None:
    (record,) = plan(AWS_ZONE, aws(name="k", type="TXT", records=["p=" + "A" * 300])).records
    assert isinstance(record.rdata, Txt)
    assert [len(string) for string in record.rdata.strings] == [302]


def test_route53_takes_names_whole_or_below_the_zone() -> None:
    found = plan(
        AWS_ZONE,
        aws(name="example.com", type="MX", records=["10 mx.example.com.", "20 mx2.example.com"]),
        aws(name="www.example.com", type="A", records=["192.0.2.1"]),
        aws(name="mx", type="A", records=["192.0.2.2"]),
    )
    assert told(found) == [
        ("example.com", "MX", Mx(10, "mx.example.com")),
        ("example.com", "MX", Mx(20, "mx2.example.com")),
        ("www.example.com", "A", Address("192.0.2.1")),
        ("mx.example.com", "A", Address("192.0.2.2")),
    ]


def test_an_alias_of_route53_is_not_known() -> None:
    (record,) = plan(AWS_ZONE, aws(name="www", type="A", alias=[{"name": "lb.example.net", "zone_id": "Z"}])).records
    assert record.rdata is None
    assert record.unknown == "aws_route53_record.x: an alias of lb.example.net: Route 53 answers with its addresses"


def test_the_zone_may_be_known_by_the_configuration_alone() -> None:
    zone = resource("aws_route53_zone", {"name": "example.com."}, "module.dns.aws_route53_zone.main")
    record = resource(
        "aws_route53_record",
        {"name": "_dmarc", "type": "TXT", "ttl": 60, "records": ["v=DMARC1; p=none"]},
        'module.dns.aws_route53_record.txt["dmarc"]',
    )
    references = {"zone_id": {"references": ["aws_route53_zone.main.zone_id", "aws_route53_zone.main"]}}
    inner = {"resources": [{"address": "aws_route53_record.txt", "expressions": references}]}
    document = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"child_modules": [{"address": "module.dns", "resources": [zone, record]}]}},
        "configuration": {"root_module": {"module_calls": {"dns": {"module": inner}}}},
    }
    found = read_text(json.dumps(document), FILE)
    assert told(found) == [("_dmarc.example.com", "TXT", Txt((b"v=DMARC1; p=none",)))]


def test_a_zone_may_be_a_data_source_of_the_state_before() -> None:
    prior = {
        "values": {
            "root_module": {
                "resources": [resource("aws_route53_zone", {"zone_id": "Z1", "name": "a.example"}, mode="data")]
            }
        }
    }
    found = plan(aws(name="mx", type="A", records=["192.0.2.2"]), prior_state=prior)
    assert told(found) == [("mx.a.example", "A", Address("192.0.2.2"))]


def test_a_name_whose_zone_is_not_told_needs_an_origin() -> None:
    record = aws(name="_dmarc", type="TXT", records=["v=DMARC1; p=none"])
    assert "--origin" in plan(record).problems[0].message
    document = {"format_version": "1.0", "values": {"root_module": {"resources": [record]}}}
    assert told(read_text(json.dumps(document), FILE, "example.org")) == [
        ("_dmarc.example.org", "TXT", Txt((b"v=DMARC1; p=none",)))
    ]


def test_cloudflare_splits_what_is_plain_and_reads_what_is_quoted() -> None:
    zone = resource("cloudflare_zone", {"id": "z", "zone": "example.com"})
    found = plan(
        zone,
        resource(
            "cloudflare_record", {"zone_id": "z", "name": "@", "type": "TXT", "ttl": 1, "value": "v=spf1 \\ -all"}
        ),
        resource("cloudflare_record", {"zone_id": "z", "name": "k", "type": "TXT", "ttl": 1, "content": "x" * 300}),
        resource(
            "cloudflare_dns_record",
            {"zone_id": "z", "name": "q.example.com", "type": "TXT", "ttl": 60, "content": '"a" "b"'},
        ),
        resource(
            "cloudflare_record",
            {"zone_id": "z", "name": "@", "type": "MX", "ttl": 1, "value": "mx.example.com", "priority": 10},
        ),
        resource(
            "cloudflare_record",
            {
                "zone_id": "z",
                "name": "@",
                "type": "CAA",
                "data": [{"flags": "0", "tag": "issue", "value": "ca.example"}],
            },
        ),
        resource(
            "cloudflare_dns_record",
            {
                "zone_id": "z",
                "name": "_25._tcp",
                "type": "TLSA",
                "data": {"usage": 3.0, "selector": 1, "matching_type": 0, "certificate": "00ff"},
            },
        ),
    )
    assert told(found) == [
        ("example.com", "TXT", Txt((b"v=spf1 \\ -all",))),
        ("k.example.com", "TXT", Txt((b"x" * 255, b"x" * 45))),
        ("q.example.com", "TXT", Txt((b"a", b"b"))),
        ("example.com", "MX", Mx(10, "mx.example.com")),
        ("example.com", "CAA", Other('0 issue "ca.example"')),
        ("_25._tcp.example.com", "TLSA", Other("3 1 0 00ff")),
    ]
    assert [record.ttl for record in found.records[:3]] == [300, 300, 60]


def test_what_cloudflare_proxies_is_not_known() -> None:
    zone = resource("cloudflare_zone", {"id": "z", "name": "example.com"})
    record = {"zone_id": "z", "name": "www", "type": "A", "content": "192.0.2.1", "proxied": True}
    (found,) = plan(zone, resource("cloudflare_dns_record", record)).records
    assert "proxied" in (found.unknown or "")


def test_google_takes_the_presentation_form() -> None:
    zone = resource("google_dns_managed_zone", {"name": "main", "dns_name": "example.com."})

    def record(name: str, kind: str, *rrdatas: str) -> dict[str, Any]:
        values = {"managed_zone": "main", "name": name, "type": kind, "ttl": 300, "rrdatas": rrdatas}
        return resource("google_dns_record_set", values)

    found = plan(
        zone,
        record("example.com.", "TXT", '"v=spf1 -all"', "v=spf1 -all"),
        record("example.com.", "MX", "1 smtp.google.com."),
        record("www.example.com.", "CNAME", "ghs.example.net."),
    )
    assert told(found) == [
        ("example.com", "TXT", Txt((b"v=spf1 -all",))),
        ("example.com", "TXT", Txt((b"v=spf1", b"-all"))),
        ("example.com", "MX", Mx(1, "smtp.google.com")),
        ("www.example.com", "CNAME", Host("ghs.example.net")),
    ]
    assert found.zones == ("example.com",)


def test_azure_names_stand_below_the_zone() -> None:
    def record(kind: str, name: str, **values: Any) -> dict[str, Any]:
        return resource(f"azurerm_dns_{kind}_record", {"zone_name": "example.com", "name": name, "ttl": 300, **values})

    found = plan(
        record("txt", "@", record=[{"value": "v=spf1 -all"}, {"value": "y" * 256}]),
        record("mx", "@", record=[{"preference": "10", "exchange": "mx.example.com"}]),
        record("a", "mx", records=["192.0.2.1"]),
        record("cname", "www.example.com", record="web.example.net"),
        record("caa", "@", record=[{"flags": 0, "tag": "issue", "value": "ca.example"}]),
    )
    assert told(found) == [
        ("example.com", "TXT", Txt((b"v=spf1 -all",))),
        ("example.com", "TXT", Txt((b"y" * 255, b"y"))),
        ("example.com", "MX", Mx(10, "mx.example.com")),
        ("mx.example.com", "A", Address("192.0.2.1")),
        ("www.example.com.example.com", "CNAME", Host("web.example.net")),
        ("example.com", "CAA", Other('0 issue "ca.example"')),
    ]


def change(record: dict[str, Any], actions: list[str], before: Any = None, unknown: Any = None) -> dict[str, Any]:
    told = {"actions": actions, "before": before, "after": record["values"], "after_unknown": unknown or {}}
    return {"address": record["address"], "type": record["type"], "change": told}


def test_what_is_known_only_after_applying_is_unknown() -> None:
    whole = aws(name="a", type="A")
    part = {**aws(name="b", type="A", records=["192.0.2.1", None]), "address": "aws_route53_record.y"}
    found = plan(
        AWS_ZONE,
        whole,
        part,
        resource_changes=[
            change(whole, ["create"], unknown={"records": True}),
            change(part, ["create"], unknown={"records": [False, True]}),
        ],
    )
    assert [(record.name, record.rdata, record.unknown) for record in found.records] == [
        ("a.example.com", None, "aws_route53_record.x: known only after it is applied"),
        ("b.example.com", Address("192.0.2.1"), None),
        ("b.example.com", None, "aws_route53_record.y: known only after it is applied"),
    ]


def test_a_name_known_only_after_applying_is_told() -> None:
    record = aws(type="A", records=["192.0.2.1"])
    found = plan(AWS_ZONE, record, resource_changes=[change(record, ["create"], unknown={"name": True})])
    assert "its name is known only after it is applied" in found.problems[0].message


def test_what_a_plan_deletes_is_told_apart() -> None:
    gone = aws(name="_dmarc", type="TXT", records=["v=DMARC1; p=reject"])
    kept = aws(name="mx", type="A", records=["192.0.2.2"])
    found = plan(
        AWS_ZONE,
        kept,
        resource_changes=[
            change(gone, ["delete"], before=gone["values"]),
            {**change(kept, ["update"], before=kept["values"]), "address": "aws_route53_record.kept"},
        ],
    )
    assert found.deleted == (("_dmarc.example.com", "TXT"),)
    assert [record.name for record in found.records] == ["mx.example.com"]


def test_each_record_stands_at_its_value() -> None:
    found = plan(AWS_ZONE, aws(name="a", type="A", records=["192.0.2.1", "192.0.2.2"]))
    for record in found.records:
        assert record.raw[record.place.column - 1 :].startswith(f'"{record.text}"')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"format_version": "2.0", "planned_values": {}}', "format_version '2.0'"),
        ('{"version": 4, "terraform_version": "1.9.5", "lineage": "x", "resources": []}', "terraform show -json"),
        ('{"format_version": "1.0"}', "neither"),
        ('{"format_version": "1.0", ', "key in quotes"),
    ],
)
def test_what_is_no_plan_is_told(text: str, words: str) -> None:
    found = read_text(text, FILE)
    assert not found.records
    assert words in found.problems[0].message


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "a", "type": "A", "records": [3]}, "expected a text"),
        ({"name": "a", "type": "A", "records": ["x"]}, "no IP address"),
        ({"name": "a", "type": "TXT", "records": ['a"b']}, "quote that is not closed"),
        ({"name": "a", "type": "MX", "records": ["mx.example.com"]}, "not a preference and a host"),
        ({"name": "a", "type": "WHAT", "records": ["x"]}, "no record type"),
        ({"name": "a", "records": ["x"]}, "without a type"),
        ({"type": "A", "records": ["x"]}, "no name"),
        ({"name": "a", "type": "A", "ttl": 1e300, "records": []}, "ttl"),
    ],
)
def test_what_is_no_record_is_told(values: dict[str, Any], words: str) -> None:
    assert words in plan(AWS_ZONE, aws(**values)).problems[0].message


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["A", "TXT", "@", "a", "Z1", '"', "\\"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "type", "records", "alias", "data", "content", "ttl", "record", "value", "zone_id"]
            ),
            inner,
            max_size=5,
        )
    ),
)
KINDS = [
    "aws_route53_record",
    "cloudflare_record",
    "google_dns_record_set",
    "azurerm_dns_txt_record",
    "azurerm_dns_mx_record",
]


@given(st.sampled_from(KINDS), TREES, TREES)
def test_any_values_are_read_or_told(kind: str, values: Any, unknown: Any) -> None:
    record = resource(kind, values)
    plan(AWS_ZONE, record, resource_changes=[change(record, ["create", "delete"], values, unknown)])
