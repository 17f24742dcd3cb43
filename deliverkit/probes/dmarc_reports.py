"""Whether the addresses of DMARC reports may be used: consent of other organisations (RFC 9990 §3).

Reports that leave the organisation go only where `POLICY-DOMAIN._report._dmarc.HOST` holds a DMARC record.
A host is of the same organisation where it is the organisational domain or below it. Where that domain cannot be
told, a host that is not below the record's own domain may be of either, and only consent is certain.
Questions are bounded:
`MAX_HOSTS` distinct hosts, in the order of the record; of others nothing is said.
"""

from __future__ import annotations

import asyncio
from typing import Final

from deliverkit.dns import Port
from deliverkit.facts.dmarc import ReportTarget
from deliverkit.model import Absent, Answer, Found, LookupOutcome, Txt, Unknown
from deliverkit.records.dmarc import DmarcRecord, is_dmarc
from deliverkit.records.dmarc_uri import ReportUri
from deliverkit.records.taglist import parse_tags

MAX_HOSTS: Final = 10
"""Other hosts whose consent is asked for."""

MAX_TARGETS: Final = 128


async def report_targets(
    record: DmarcRecord, policy_domain: str, organization: Answer[str], mailbox: str | None, port: Port
) -> tuple[ReportTarget, ...]:
    """Each address of `rua` and `ruf`, in the order of the record, with what its domain says."""
    listed = [("rua", uri) for uri in record.rua] + [("ruf", uri) for uri in record.ruf]
    hosts = list(dict.fromkeys(uri.host for _, uri in listed if uri.host))[:MAX_HOSTS]
    consents, existences = await asyncio.gather(
        asyncio.gather(*(_consent(policy_domain, organization, host, port) for host in hosts)),
        asyncio.gather(*(_exists(host, port) for host in hosts)),
    )
    told = dict(zip(hosts, zip(consents, existences, strict=True), strict=True))
    return tuple(
        _target(
            tag,
            uri,
            policy_domain,
            record.text,
            told,
            mailbox=mailbox,
            external=_external(uri.host, policy_domain, organization),
        )
        for tag, uri in listed[:MAX_TARGETS]
    )


def _target(
    tag: str,
    uri: ReportUri,
    policy_domain: str,
    record: str,
    told: dict[str, tuple[Answer[bool], Answer[bool]]],
    *,
    mailbox: str | None,
    external: bool,
) -> ReportTarget:
    not_asked = Absent("no address of mail" if uri.host is None else f"not asked: more than {MAX_HOSTS} hosts")
    authorized, exists = told.get(uri.host or "", (not_asked, not_asked))
    return ReportTarget(
        tag=tag,
        uri=uri,
        policy_domain=policy_domain,
        record=record,
        mailbox=mailbox,
        asked=consent_name(policy_domain, uri.host) if external and uri.host in told else None,
        external=external,
        authorized=authorized,
        exists=exists,
    )


def consent_name(policy_domain: str, host: str | None) -> str:
    """Where the host's owner publishes consent to reports about the policy domain."""
    return f"{policy_domain}._report._dmarc.{host}"


def _external(host: str | None, policy_domain: str, organization: Answer[str]) -> bool:
    """Whether consent is needed, or may be: the record's domain is of its own organisation in any case."""
    own = organization.value if isinstance(organization, Found) else policy_domain
    return host is not None and host != own and not host.endswith(f".{own}")


async def _consent(policy_domain: str, organization: Answer[str], host: str, port: Port) -> Answer[bool]:
    if not _external(host, policy_domain, organization):
        return Found(True)
    answer = await _consent_published(policy_domain, host, port)
    # Without consent all hangs on the organisation; if nobody could tell it, nobody can tell this.
    return organization if answer == Found(False) and isinstance(organization, Unknown) else answer


async def _consent_published(policy_domain: str, host: str, port: Port) -> Answer[bool]:
    match (await port.lookup(consent_name(policy_domain, host), "TXT")).of(Txt):
        case Found(records):
            # RFC 9990 §3: one record that parses is consent; it needs no more than its version.
            return Found(any(consents(record.text) for record in records))
        case Absent():
            return Found(False)
        case Unknown() as unknown:
            return unknown


def consents(text: str) -> bool:
    """Whether a TXT record at the place of consent is a well-formed DMARC record."""
    return is_dmarc(text) and not parse_tags(text).errors


async def _exists(host: str, port: Port) -> Answer[bool]:
    lookup = await port.lookup(host, "MX")
    match lookup.outcome:
        case LookupOutcome.NXDOMAIN | LookupOutcome.INVALID:
            return Found(False)
        case LookupOutcome.UNKNOWN:
            return Unknown(lookup.why)
        case _:
            return Found(True)
