"""The tree walk, what a receiver applies, and where reports may go."""

from __future__ import annotations

import asyncio

import pytest

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.dmarc import DmarcFacts
from deliverkit.model import Absent, Found, Inputs, Unknown
from deliverkit.probes.dmarc import probe, walk_names
from deliverkit.probes.dmarc_reports import consents
from deliverkit.report.dmarc import DmarcReport, report
from deliverkit.world import World

BASE = "$ORIGIN example.com.\n@ MX 10 mx.example.net.\n"


def facts_of(world: str, domain: str = "example.com") -> DmarcFacts:
    return asyncio.run(probe(Inputs(domain=domain), Recorder(World(world))))


def report_of(world: str, domain: str = "example.com") -> DmarcReport:
    return report(facts_of(world, domain))


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ("com", ("com",)),
        ("example.com", ("example.com", "com")),
        ("a.b.c.com", ("a.b.c.com", "b.c.com", "c.com", "com")),
        (
            "a.b.c.d.e.f.g.h.com",
            ("a.b.c.d.e.f.g.h.com", "c.d.e.f.g.h.com", "d.e.f.g.h.com", "e.f.g.h.com", "f.g.h.com", "g.h.com", "h.com",
             "com"),
        ),
        (
            "a.b.c.d.e.f.g.com",
            ("a.b.c.d.e.f.g.com", "b.c.d.e.f.g.com", "c.d.e.f.g.com", "d.e.f.g.com", "e.f.g.com", "f.g.com", "g.com",
             "com"),
        ),
    ],
)  # fmt: skip
def test_names_of_the_walk(domain: str, names: tuple[str, ...]):  # RFC 9989 §4.10
    assert walk_names(domain) == names
    assert len(names) <= 8


def test_own_record():
    seen = report_of(BASE + '_dmarc TXT "v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s"')
    assert (seen.record, seen.found_at) == (
        "v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s",
        "_dmarc.example.com",
    )
    assert (seen.policy, seen.subdomain_policy, seen.nonexistent_policy) == ("reject", "quarantine", "none")
    assert seen.organizational_domain == "example.com"
    assert seen.alignment is not None
    assert (seen.alignment.spf, seen.alignment.dkim) == ("relaxed", "strict")
    assert not seen.inherited
    assert seen.rfc7489 is None


def test_inherited_record_applies_sp():
    seen = report_of(BASE + '_dmarc TXT "v=DMARC1; p=reject; sp=quarantine"', "mail.example.com")
    assert (seen.policy, seen.found_at, seen.inherited) == ("quarantine", "_dmarc.example.com", True)
    assert seen.organizational_domain == "example.com"


def test_own_record_of_a_subdomain_says_nothing_about_names_below():
    world = BASE + '_dmarc TXT "v=DMARC1; p=none"\n_dmarc.mail TXT "v=DMARC1; p=reject; sp=reject"'
    seen = report_of(world, "mail.example.com")
    assert (seen.policy, seen.subdomain_policy) == ("reject", "none")


def test_testing_takes_a_step_down():
    seen = report_of(BASE + '_dmarc TXT "v=DMARC1; p=reject; sp=quarantine; t=y"')
    assert (seen.policy, seen.subdomain_policy, seen.testing) == ("quarantine", "none", True)
    assert seen.published is not None
    assert seen.published.p == "reject"


def test_psd_n_ends_the_walk():
    world = BASE + '_dmarc TXT "v=DMARC1; p=none"\n_dmarc.unit TXT "v=DMARC1; p=reject; psd=n"'
    seen = report_of(world, "a.unit.example.com")
    assert (seen.policy, seen.organizational_domain, seen.found_at) == (
        "reject",
        "unit.example.com",
        "_dmarc.unit.example.com",
    )
    assert [step.reached for step in seen.walk] == [True, True, False, False]


def test_psd_y_makes_the_name_below_an_organisation():
    world = (
        '_dmarc.bank. TXT "v=DMARC1; p=reject; psd=y"\n_dmarc.a.bank. TXT "v=DMARC1; p=none"\nmx.a.bank. A 192.0.2.1'
    )
    assert report_of(world, "mx.a.bank").organizational_domain == "a.bank"
    only_suffix = report_of('_dmarc.bank. TXT "v=DMARC1; p=none; sp=reject; psd=y"\na.bank. A 192.0.2.1', "a.bank")
    assert (only_suffix.organizational_domain, only_suffix.policy) == ("a.bank", "reject")
    assert only_suffix.found_at == "_dmarc.bank"


def test_several_records_are_discarded_and_the_parent_applies():
    world = BASE + '_dmarc TXT "v=DMARC1; p=reject"\n_dmarc.a TXT "v=DMARC1; p=none"\n_dmarc.a TXT "v=DMARC1; p=reject"'
    seen = report_of(world, "a.example.com")
    assert (seen.policy, seen.found_at) == ("reject", "_dmarc.example.com")
    assert seen.walk[0].state == "multiple"


def test_other_texts_beside_the_record_do_no_harm():
    seen = report_of(BASE + '_dmarc TXT "v=DMARC1; p=reject"\n_dmarc TXT "something else"')
    assert seen.policy == "reject"


def test_a_broken_own_record_does_not_fall_back():
    world = BASE + '_dmarc TXT "v=DMARC1; p=reject"\n_dmarc.a TXT "v=DMARC1; p=wrong"'
    seen = report_of(world, "a.example.com")
    assert (seen.policy, seen.found_at, seen.record) == (None, "_dmarc.a.example.com", "v=DMARC1; p=wrong")


def test_nothing_at_all():
    seen = report_of(BASE)
    assert (seen.record, seen.policy, seen.unknown, seen.alignment) == (None, None, None, None)
    assert [step.state for step in seen.walk] == ["none", "none"]


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "TIMEOUT", "MALFORMED", "TRUNCATED", "BOGUS"])
def test_no_answer_is_no_absence(fault: str):
    facts = facts_of(BASE + f"_dmarc TXT {fault}")
    assert isinstance(facts.applied, Unknown)
    assert isinstance(facts.organizational_domain, Unknown)
    assert report(facts).unknown == facts.applied.why


def test_a_parents_record_proves_nothing_while_the_own_is_unknown():
    facts = facts_of(BASE + '_dmarc TXT "v=DMARC1; p=reject"\n_dmarc.a TXT SERVFAIL', "a.example.com")
    assert isinstance(facts.applied, Unknown)


def test_the_own_record_stands_though_the_parent_is_unknown():
    facts = facts_of(BASE + '_dmarc TXT SERVFAIL\n_dmarc.a TXT "v=DMARC1; p=reject"', "a.example.com")
    assert isinstance(facts.applied, Found)
    assert facts.applied.value.policy == "reject"
    assert isinstance(facts.organizational_domain, Unknown)
    assert isinstance(facts.below, Unknown)


def test_old_receivers_find_another_organisation():
    seen = report_of(BASE + '_dmarc.b TXT "v=DMARC1; p=reject"', "a.b.example.com")
    assert (seen.policy, seen.organizational_domain) == ("reject", "b.example.com")
    assert seen.rfc7489 is not None
    assert (seen.rfc7489.policy, seen.rfc7489.organizational_domain) == (None, "example.com")


REPORTS = BASE + '_dmarc TXT "v=DMARC1; p=reject; rua=mailto:a@reports.example.net"\nreports.example.net. A 192.0.2.9\n'


@pytest.mark.parametrize(
    ("consent", "authorized"),
    [
        ("", False),
        ('example.com._report._dmarc.reports.example.net. TXT "v=DMARC1"', True),
        ('example.com._report._dmarc.reports.example.net. TXT "v=DMARC1;"', True),
        ('*._report._dmarc.reports.example.net. TXT "v=DMARC1; p=none"', True),
        ('example.com._report._dmarc.reports.example.net. TXT "v=DMARC1; bogus;"', False),
        ('example.com._report._dmarc.reports.example.net. TXT "yes"', False),
        ("example.com._report._dmarc.reports.example.net. TXT SERVFAIL", None),
    ],
)
def test_consent_of_another_organisation(consent: str, authorized: bool | None):
    (address,) = report_of(REPORTS + consent).reports
    assert address.external
    assert address.asked == "example.com._report._dmarc.reports.example.net"
    assert address.authorized is authorized


@pytest.mark.parametrize("host", ["example.com", "reports.example.com"])
def test_no_consent_is_asked_of_oneself(host: str):
    world = World(BASE + f'_dmarc TXT "v=DMARC1; p=reject; rua=mailto:a@{host}"')
    facts = asyncio.run(probe(Inputs(domain="example.com"), Recorder(world)))
    (address,) = report(facts).reports
    assert (address.external, address.authorized) == (False, True)
    assert not [name for name, _ in world.asked if "_report" in name]


def test_a_subdomain_reports_to_its_organisation():
    world = BASE + '_dmarc TXT "v=DMARC1; p=none"\n_dmarc.a TXT "v=DMARC1; p=reject; rua=mailto:x@example.com"'
    (address,) = report_of(world, "a.example.com").reports
    assert not address.external


BETWEEN = (
    BASE + "_dmarc TXT SERVFAIL\nreports.example.com. A 192.0.2.9\n"
    '_dmarc.mail TXT "v=DMARC1; p=reject; rua=mailto:x@HOST"\n'
)


@pytest.mark.parametrize("host", ["example.com", "reports.example.com"])
def test_nobody_can_tell_whether_an_unknown_organisation_needs_consent(host: str):
    facts = facts_of(BETWEEN.replace("HOST", host), "mail.example.com")
    assert isinstance(facts.applied, Found)
    (target,) = facts.applied.value.reports
    assert isinstance(target.authorized, Unknown)


def test_consent_and_hosts_below_need_no_organisation():
    below = report_of(BETWEEN.replace("HOST", "in.mail.example.com"), "mail.example.com").reports[0]
    assert (below.external, below.authorized) == (False, True)
    consent = 'mail.example.com._report._dmarc.reports.example.com. TXT "v=DMARC1"'
    agreed = report_of(BETWEEN.replace("HOST", "reports.example.com") + consent, "mail.example.com").reports[0]
    assert agreed.authorized is True


def test_consent_is_asked_ten_times_at_most():
    uris = ",".join(f"mailto:r@r{n}.example" for n in range(40))
    strings = " ".join(
        f'"{part}"' for part in (f"v=DMARC1; p=none; rua={uris}"[i : i + 200] for i in range(0, 1600, 200))
    )
    world = World(BASE + f"_dmarc TXT {strings}")
    facts = asyncio.run(probe(Inputs(domain="example.com"), Recorder(world)))
    assert len([name for name, _ in world.asked if "._report." in name]) == 10
    assert [target.asked is not None for target in facts.applied.value.reports].count(True) == 10  # type: ignore[union-attr]


def test_consents():
    assert consents("v=DMARC1")
    assert not consents("v=DMARC1; p=none; bogus;")


def test_places_where_a_record_goes_astray():
    facts = facts_of(BASE + '@ TXT "v=DMARC1; p=reject"\n_dmarc.example.com TXT "v=DMARC1; p=none"')
    assert facts.apex == Found(("v=DMARC1; p=reject",))
    assert facts.doubled == Found(("v=DMARC1; p=none",))


def test_the_doubled_name_is_not_asked_without_need():
    world = World(BASE + '_dmarc TXT "v=DMARC1; p=reject"')
    facts = asyncio.run(probe(Inputs(domain="example.com"), Recorder(world)))
    assert isinstance(facts.doubled, Absent)
    assert ("_dmarc.example.com.example.com", "TXT") not in world.asked


@pytest.mark.parametrize(
    ("zone", "parked"),
    [
        ('@ MX 0 .\n@ TXT "v=spf1 -all"', True),
        ('@ A 192.0.2.1\n@ TXT "v=spf1 -all"', True),
        ('@ MX 10 mx.example.net.\n@ TXT "v=spf1 -all"', False),
        ('@ MX 0 .\n@ TXT "v=spf1 ip4:192.0.2.1 -all"', False),
        ("@ MX 0 .", False),
    ],
)
def test_parked(zone: str, parked: bool):
    assert facts_of(f"$ORIGIN example.com.\n{zone}").parked == Found(parked)


def test_parked_cannot_be_told():
    assert isinstance(facts_of("$ORIGIN example.com.\n@ MX SERVFAIL\n").parked, Unknown)
    assert isinstance(facts_of("$ORIGIN example.com.\n@ MX 0 .\n@ TXT TIMEOUT\n").parked, Unknown)


def test_over_long_names_are_no_crash():
    domain = ".".join(["a" * 60] * 4)
    assert report_of(BASE, domain).record is None


def test_a_registry_that_does_not_answer_is_no_loss():
    own = report_of(BASE + '_dmarc TXT "v=DMARC1; p=reject"\n_dmarc.com. TXT REFUSED')
    assert (own.organizational_domain, own.subdomain_policy) == ("example.com", "reject")
    none = facts_of(BASE + "_dmarc.com. TXT REFUSED")
    assert isinstance(none.applied, Absent)
    inherited = report_of(BASE + '_dmarc TXT "v=DMARC1; p=reject"\n_dmarc.com. TXT TIMEOUT', "a.example.com")
    assert (inherited.policy, inherited.found_at) == ("reject", "_dmarc.example.com")
    between = facts_of(BASE + '_dmarc.a TXT "v=DMARC1; p=reject"\n_dmarc.com. TXT TIMEOUT', "a.example.com")
    assert isinstance(between.organizational_domain, Unknown)
