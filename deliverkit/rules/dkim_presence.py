"""Rules of area `dkim`: whether a selector's record is there, and only there."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dkim import DkimFacts, SelectorFacts
from deliverkit.model import (
    Exhibit,
    Finding,
    Fix,
    Inconclusive,
    LookupOutcome,
    NotApplicable,
    Severity,
    Txt,
    Unknown,
    known,
    need,
)
from deliverkit.records.dkim import parse_key_record
from deliverkit.records.dkim_providers import PROVIDERS
from deliverkit.rules.declare import rule
from deliverkit.rules.dkim_finding import about


@rule(Severity.ERROR, "RFC 6376 §3.6.2.1", "RFC 6376 §6.1.2")
def dkim_missing(selector: SelectorFacts) -> Iterator[Finding]:
    """No key is published for a selector that is in use.

    Receivers look the key up at the selector that the signature names. Without it every signature fails, and
    with it DMARC where SPF does not align.

    ## Fix
    Publish the key that your mail software shows for this selector, or sign with a selector that is published.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s2._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    if selector.guessed:
        raise NotApplicable("the selector was only guessed")
    if known(selector.texts) is not None:
        return
    after = None
    if selector.given is not None and selector.given.proper:
        after = f"v=DKIM1; k={selector.given.kind}; p={selector.given.proper}"
    yield about(
        selector,
        f"No key is published for the selector {selector.selector}: signatures that name it cannot be verified"
        + (f" (its CNAME leads to {selector.lookup.aliases[-1]}, where none is)" if selector.cname else ""),
        evidence=(Exhibit(text=selector.lookup.why or "no key", title=f"{selector.name} TXT"),),
        fix=Fix(
            text=f"Publish the key as a TXT record at {selector.name}, or sign with a selector that is published.",
            name=selector.name,
            rdtype="TXT",
            after=after,
        ),
        part_of="dkim-name-doubled" if selector.doubled else None,
    )


@rule(Severity.WARNING, "RFC 8020 §2", "RFC 6376 §3.6.2.1")
def dkim_none_published(facts: DkimFacts) -> Iterator[Finding]:
    """The domain publishes no DKIM key at all.

    The name `_domainkey` below the domain does not exist, and so no selector does: mail of this domain cannot be
    signed by it. Google, Yahoo and Microsoft ask DKIM of whoever sends in volume.

    ## Fix
    Turn DKIM on in each service that sends for the domain, and publish the keys that they show.

    ## Bad
        $ORIGIN example.com.
        @ MX 10 mx

    ## Good
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    if known_sends(facts) is False:
        raise NotApplicable("the domain sends no mail")
    if any(selector.lookup.outcome is LookupOutcome.FOUND for selector in facts.selectors):
        return
    silent = next((selector.lookup for selector in facts.selectors if _silent(selector)), None)
    if silent is not None:
        raise Inconclusive(silent.why)  # a key that nobody could ask for may well be there
    match facts.base.outcome:
        case LookupOutcome.UNKNOWN:
            raise Inconclusive(facts.base.why)
        case LookupOutcome.NXDOMAIN | LookupOutcome.INVALID:
            need(facts.sends)
            yield Finding(
                message="The domain publishes no DKIM key at all: its mail can carry no signature of its own",
                subject=facts.domain,
                evidence=(Exhibit(text=facts.base.why, title=f"_domainkey.{facts.domain}"),),
                fix=Fix(
                    text="Turn DKIM on in each service that sends for it, and publish the keys that they show. "
                    "If the domain sends no mail, publish `v=spf1 -all` and a null MX, and this is not asked of it."
                ),
                part_of="dkim-missing" if facts.named else None,
            )
        case _:
            return


def _silent(selector: SelectorFacts) -> bool:
    return not selector.guessed and selector.lookup.outcome is LookupOutcome.UNKNOWN


def known_sends(facts: DkimFacts) -> bool | None:
    """Whether the domain sends; None where it could not be told."""
    return None if isinstance(facts.sends, Unknown) else known(facts.sends)


@rule(Severity.NOTICE, "RFC 6376 §3.1")
def dkim_selector_unknown(facts: DkimFacts) -> Iterator[Finding]:
    """The domain's selectors are not known, and none of the usual ones answers.

    Selectors cannot be listed: a domain may well sign under one that nobody would guess. This says nothing about
    whether it does; it only means that no key was judged.

    ## Fix
    Read `s=` in the `DKIM-Signature` header of a message the domain sent, and name it: `--selector NAME`.

    ## Bad
        $ORIGIN example.com.
        @ MX 10 mx
        2026x._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    if facts.named:
        raise NotApplicable("selectors were named")
    if facts.base.outcome in (LookupOutcome.NXDOMAIN, LookupOutcome.INVALID):
        raise NotApplicable("no selector is published")
    if known_sends(facts) is False or _denies(facts):
        raise NotApplicable("the domain sends no mail")
    told = [name for name in facts.tried if name not in facts.untold]
    if not facts.selectors:
        if not told:
            raise NotApplicable("no usual selector was answered")
        which = "None of the usual selectors is published"
        if facts.untold:
            which = (
                f"None of the {len(told)} usual selectors that were answered is published, "
                f"and of {len(facts.untold)} it could not be told"
            )
        yield Finding(
            message=f"{which}; which ones the domain uses cannot be looked up",
            subject=facts.domain,
            evidence=(
                Exhibit(text=" ".join(told), title="selectors tried"),
                *((Exhibit(text=" ".join(facts.untold), title="not determined"),) if facts.untold else ()),
            ),
            fix=Fix(text="Name them: --selector NAME, as it stands behind s= in the DKIM-Signature of a message."),
        )


def _denies(facts: DkimFacts) -> bool:
    """A wildcard with an empty p= says that nothing is signed."""
    records = [record for record in facts.wildcard.records if isinstance(record, Txt)]
    return bool(records) and all(parse_key_record(record.text).revoked for record in records)


@rule(Severity.NOTICE, "RFC 4592 §2.1.1", "RFC 6376 §3.6.2.1")
def dkim_wildcard(facts: DkimFacts) -> Iterator[Finding]:
    """Every selector is answered, by a wildcard.

    A wildcard at or above `_domainkey` answers for selectors that were never set up: which keys are meant cannot be
    told, and text that is no key makes signatures fail in unclear ways.

    ## Fix
    Publish each selector under its own name, and remove the wildcard.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        *._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    texts = [record.text for record in known(facts.wildcard.of(Txt)) or ()]
    if texts and not _denies(facts):
        yield Finding(
            message="Any selector whatever is answered, by a wildcard",
            subject=f"_domainkey.{facts.domain}",
            evidence=tuple(Exhibit(text=text, title=f"*._domainkey.{facts.domain} TXT") for text in texts[:3]),
            fix=Fix(text="Publish each selector under its own name, and remove the wildcard."),
        )


@rule(Severity.NOTICE, "RFC 6376 §3.1")
def dkim_provider_selector_incomplete(facts: DkimFacts) -> Iterator[Finding]:
    """Of the selectors that a service publishes together, some are missing.

    Services that rotate keys sign by turns under two or three selectors. Where one is missing, mail fails DKIM
    after the next rotation, without any change on your side.

    ## Fix
    Publish every CNAME that the service's DKIM page shows.

    ## Bad
        $ORIGIN example.com.
        @ MX 10 mx
        selector1._domainkey CNAME s1._domainkey.x.onmicrosoft.com.
        s1._domainkey.x.onmicrosoft.com. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        $ORIGIN example.com.
        @ MX 10 mx
        selector1._domainkey CNAME s1._domainkey.x.onmicrosoft.com.
        selector2._domainkey CNAME s2._domainkey.x.onmicrosoft.com.
        s1._domainkey.x.onmicrosoft.com. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        s2._domainkey.x.onmicrosoft.com. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    if facts.named:
        raise NotApplicable("selectors were named")
    there = {selector.selector: selector for selector in facts.selectors}
    for provider in PROVIDERS:
        present = [name for name in provider.selectors if name in there and there[name].provider == provider.name]
        missing = [name for name in provider.selectors if name in facts.absent]
        if provider.together and missing and any(there[name].cname for name in present):
            yield Finding(
                message=f"{provider.name} publishes {' and '.join(provider.selectors)} together, but "
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
                subject=f"{missing[0]}._domainkey.{facts.domain}",
                evidence=tuple(
                    Exhibit(text=there[name].cname or "", title=f"{there[name].name} CNAME") for name in present
                ),
                fix=Fix(text=f"Publish every CNAME that {provider.name} shows for the domain."),
            )
