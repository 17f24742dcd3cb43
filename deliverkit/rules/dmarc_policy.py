"""Rules about what the DMARC record asks receivers to do."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dmarc import AppliedRecord, BelowRecord, DmarcFacts, old_receivers_differ
from deliverkit.model import Exhibit, Finding, Fix, Found, Mark, NotApplicable, Severity, known, need
from deliverkit.records.dmarc import DmarcRecord, weaker
from deliverkit.records.dmarc_repair import corrected, mended
from deliverkit.rules.declare import rule


def _exhibit(record: DmarcRecord, domain: str, *notes: tuple[str, str]) -> Exhibit:
    """The record, with notes at the values of tags."""
    marks = []
    for name, note in notes:
        if tag := record.tag(name):
            marks.append(Mark(tag.name_span[0], tag.value_span[1], note))
    return Exhibit(record.text, title=f"_dmarc.{domain} TXT", marks=tuple(marks))


def _change(source: AppliedRecord | BelowRecord, words: str, **changes: str | None) -> Fix:
    return Fix(
        words,
        name=f"_dmarc.{source.domain}",
        rdtype="TXT",
        before=source.record.text,
        after=mended(source.record, mailbox=source.mailbox, **changes),
    )


@rule(Severity.WARNING, "RFC 9989 §4.7", "RFC 9989 §5.1.7")
def dmarc_policy_none(applied: AppliedRecord) -> Iterator[Finding]:
    """The DMARC policy in force is `none`: forged mail is only reported.

    `p=none` is for the weeks in which one learns who sends in the domain's name. As long as it stands, receivers
    deliver forged mail as if there were no record.

    ## Fix
    Read the reports; when all that is legitimate passes, change to `p=quarantine`, then to `p=reject`.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com"
    """
    record = applied.record
    asked = record.subdomain_policy if applied.inherited else record.policy
    if asked != "none":
        return
    stronger = "reject" if applied.parked else "quarantine"
    tag = "sp" if applied.inherited and record.sp == "none" else "p"
    inherited = f", by the record of {applied.domain}" if applied.inherited else ""
    yield Finding(
        message=f"the policy is none{inherited}: receivers report forged mail and deliver it all the same",
        subject=applied.target,
        evidence=(_exhibit(record, applied.domain, (tag, "asks for nothing")),),
        fix=_change(
            applied,
            "Once the reports show that all your own mail passes, ask for more.",
            **{tag: stronger},
        ),
        part_of="dmarc-syntax" if record.recovered else None,
    )


@rule(Severity.WARNING, "RFC 9989 §4.7")
def dmarc_testing(applied: AppliedRecord) -> Iterator[Finding]:
    """The DMARC record is in test mode (`t=y`).

    Receivers on RFC 9989 apply one step less than the record says: `reject` becomes `quarantine`, `quarantine`
    becomes `none`. Receivers on RFC 7489 do not know the tag and apply the policy in full.

    ## Fix
    Take `t=y` out when the test is over.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; t=y; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    record = applied.record
    if not record.testing or not record.usable:
        return
    published = (record.subdomain_policy if applied.inherited else record.policy) or "none"
    yield Finding(
        message=f"the record is in test mode: it says {published}, and receivers apply {applied.policy}",
        subject=applied.domain,
        severity=Severity.NOTICE if published == "none" else None,
        evidence=(_exhibit(record, applied.domain, ("t", "test mode")),),
        fix=_change(applied, "End the test.", t=None),
    )


@rule(Severity.WARNING, "RFC 9989 §4.7")
def dmarc_subdomain_weaker(below: BelowRecord) -> Iterator[Finding]:
    """Subdomains are protected less than the domain itself.

    `sp=` counts for every name below that has no record of its own. With `p=reject; sp=none` the domain cannot be
    forged, and any name below it can.

    ## Fix
    Take `sp=` out: subdomains then follow `p=`. Where one subdomain needs a weaker policy, give it its own record.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; sp=none; np=reject; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    record = below.record
    if below.domain != below.target:
        raise NotApplicable(f"the policy for subdomains is that of {below.domain}")
    if record.recovered or not record.p or not record.sp or not weaker(record.sp, record.p):
        return
    yield Finding(
        message=f"subdomains have only the policy {record.sp}, the domain has {record.p}: forgers use a subdomain",
        subject=below.domain,
        evidence=(_exhibit(record, below.domain, ("sp", f"weaker than p={record.p}")),),
        fix=_change(below, "Let subdomains follow the domain.", sp=None),
    )


@rule(Severity.WARNING, "RFC 9989 §4.7")
def dmarc_nonexistent_weaker(below: BelowRecord) -> Iterator[Finding]:
    """Names that do not exist are protected less than those that do.

    No legitimate mail comes from a name that does not exist, so `np=` has no reason to be weaker than the rest.

    ## Fix
    Take `np=` out, or say `np=reject`.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; np=none; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=quarantine; np=reject; rua=mailto:dmarc@example.com"
    """
    record = below.record
    if below.domain != below.target:
        raise NotApplicable(f"the policy for subdomains is that of {below.domain}")
    existing = record.sp or record.p
    if record.recovered or not existing or not record.np or not weaker(record.np, existing):
        return
    yield Finding(
        message=f"names that do not exist have only the policy {record.np}, existing ones have {existing}",
        subject=below.domain,
        evidence=(_exhibit(record, below.domain, ("np", f"weaker than {existing}")),),
        fix=_change(below, "No real mail comes from such names: refuse it.", np="reject"),
    )


@rule(Severity.NOTICE, "RFC 9989 §4.7", "RFC 9989 §4.10.2")
def dmarc_subdomain_tag_ignored(dmarc: DmarcFacts) -> Iterator[Finding]:
    """The record sets a policy for subdomains that no receiver reads.

    `sp=` and `np=` count only in the record of the organisational domain. Names below this domain that have no
    record of their own get the organisational domain's policy, not this one's.

    ## Fix
    Set the policy for subdomains at the organisational domain, or say `psd=n` here to make this domain an
    organisation of its own.

    ## Bad
        ; check news.example.com
        $ORIGIN example.com.
        @            MX   10 mx.example.net.
        news         MX   10 mx.example.net.
        _dmarc       TXT  "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com"
        _dmarc.news  TXT  "v=DMARC1; p=quarantine; sp=reject; rua=mailto:dmarc@example.com"

    ## Good
        ; check news.example.com
        $ORIGIN example.com.
        @            MX   10 mx.example.net.
        news         MX   10 mx.example.net.
        _dmarc       TXT  "v=DMARC1; p=quarantine; sp=reject; rua=mailto:dmarc@example.com"
        _dmarc.news  TXT  "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com"
    """
    applied = need(dmarc.applied)
    organizational = known(dmarc.organizational_domain)
    if applied.inherited or organizational == applied.domain:
        return
    tags = [name for name in ("sp", "np") if applied.record.tag(name)]
    if tags:
        names = " and ".join(f"{name}=" for name in tags)
        yield Finding(
            message=f"{names} is read only at the organisational domain {organizational}: here it does nothing",
            subject=applied.domain,
            evidence=(_exhibit(applied.record, applied.domain, *((name, "not read here") for name in tags)),),
            fix=_change(
                applied,
                f"Take it out here, and set it in the record of {organizational}.",
                sp=None,
                np=None,
            ),
        )


@rule(Severity.WARNING, "RFC 9989 §4.7", "RFC 9989 §5.2")
def dmarc_psd_misused(applied: AppliedRecord) -> Iterator[Finding]:
    """The record says `psd=y`, and the domain is no public suffix.

    `psd=y` says that others register names below this one. Each name below then counts as an organisation of its
    own: mail of a subdomain no longer aligns with the domain, and relaxed alignment breaks.

    ## Fix
    Take `psd=y` out.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; psd=y; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    if applied.record.psd == "y" and not applied.public_suffix:
        yield Finding(
            message="psd=y calls the domain a public suffix, which it is not: names below no longer align with it",
            subject=applied.domain,
            evidence=(_exhibit(applied.record, applied.domain, ("psd", "no public suffix")),),
            fix=_change(applied, "Take psd=y out.", psd=None),
        )


@rule(Severity.NOTICE, "RFC 9989 §4.10.2", "RFC 7489 §3.2")
def dmarc_old_receivers_differ(dmarc: DmarcFacts) -> Iterator[Finding]:
    """Receivers still on RFC 7489 decide otherwise than those on RFC 9989.

    RFC 9989 finds the organisational domain by asking for records up the tree, RFC 7489 by the Public Suffix List.
    Where they differ, mail is aligned or a policy applied at one receiver and not at the next.

    ## Fix
    Publish a record at the domain that the Public Suffix List calls the organisational domain: both ways then
    lead to it.

    ## Bad
        ; check mail.example.com
        $ORIGIN example.com.
        @            MX   10 mx.example.net.
        mail         MX   10 mx.example.net.
        _dmarc.mail  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@mail.example.com"

    ## Good
        ; check mail.example.com
        $ORIGIN example.com.
        @            MX   10 mx.example.net.
        mail         MX   10 mx.example.net.
        _dmarc       TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        _dmarc.mail  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    applied, old = known(dmarc.applied), need(dmarc.old)
    organizational = known(dmarc.organizational_domain)
    if applied is None and old.domain is None:
        raise NotApplicable("no record either way")
    if not old_receivers_differ(dmarc):
        return
    same = applied is not None and (old.domain, old.organizational_domain) == (applied.domain, organizational)
    record = f"the record of {old.domain}" if old.domain else "no record"
    wanted = old.organizational_domain
    yield Finding(
        message=(
            f"receivers on RFC 7489 take {wanted or 'no domain'} for the organisational domain and apply"
            f" {old.policy or 'no policy'} by {record}; those on RFC 9989 take {organizational} and apply"
            f" {(applied.policy if applied else None) or 'no policy'}"
        ),
        subject=dmarc.domain,
        evidence=(Exhibit(applied.record.text, title=f"{applied.found_at} TXT"),) if applied else (),
        fix=Fix(
            f"Publish a DMARC record at _dmarc.{wanted} too.",
            name=f"_dmarc.{wanted}",
            rdtype="TXT",
            after=corrected(applied.record) if applied else None,
        )
        if wanted and not isinstance(_at(dmarc, wanted), Found)
        else None,
        part_of="dmarc-testing" if same and applied and applied.record.testing else None,
    )


def _at(dmarc: DmarcFacts, domain: str) -> Found[str] | None:
    step = next((step for step in dmarc.walk if step.domain == domain), None)
    return Found(step.records[0]) if step and len(step.records) == 1 else None
