"""Rules about the DMARC record itself: is there one, in the right place, and whole."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dmarc import AppliedRecord, DmarcFacts
from deliverkit.model import Exhibit, Finding, Fix, Found, Mark, NotApplicable, Severity, Unknown, known
from deliverkit.records.dmarc import DmarcRecord, is_dmarc, parse_dmarc
from deliverkit.records.dmarc_repair import Damage, corrected, damage_of, looks_like_dmarc, without_empty_tags
from deliverkit.rules.declare import rule

_DAMAGE_RULES = {"quoted": "dmarc-quoted-twice", "escaped": "dmarc-escaped", "html": "dmarc-html-encoded"}


@rule(Severity.ERROR, "RFC 9989 §4.10.1", "RFC 9989 §5.1.4")
def dmarc_missing(dmarc: DmarcFacts) -> Iterator[Finding]:
    """No DMARC record applies to the domain.

    Anyone can send mail that shows this domain as its sender, and no receiver is told to refuse it. Google,
    Yahoo and Microsoft turn away larger senders whose domain has no record.

    ## Fix
    Publish a TXT record at `_dmarc.` before the domain. Begin with `p=none` and read the reports for some weeks:
    they show who sends in your name. When all that is legitimate passes, change to `p=quarantine`, which asks
    receivers to treat forged mail as spam, then to `p=reject`.
    A domain that never sends mail publishes `v=DMARC1; p=reject`.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        @       TXT  "v=spf1 mx -all"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com"
    """
    if known(dmarc.applied) is not None:
        return
    explained = _why_missing(dmarc)
    yield Finding(
        message="no DMARC record applies: receivers have no way to tell forged mail in this name, and let it through",
        subject=dmarc.domain,
        evidence=tuple(
            Exhibit(text, title=f"{dmarc.walk[0].name} TXT, not a DMARC record") for text in _texts_at(dmarc)[:4]
        ),
        # What explains it shows the record to publish; a second one beside it would gainsay that.
        fix=Fix(f"Mend what {explained} tells of: a record then applies.") if explained else _first_record(dmarc),
        part_of=explained,
    )


def _first_record(dmarc: DmarcFacts) -> Fix:
    parked = isinstance(dmarc.parked, Found) and dmarc.parked.value
    reports = f"; rua=mailto:dmarc-reports@{dmarc.domain}"
    if dmarc.expected is not None:
        words, record = "Publish the policy that is expected.", f"p={dmarc.expected}{reports}"
    elif parked:
        words, record = "The domain sends no mail, so refuse all that claims to come from it.", "p=reject"
    else:
        words = "Begin with p=none and read the reports; once all your own mail passes, ask for quarantine or reject."
        record = f"p=none{reports}"
    return Fix(words, name=f"_dmarc.{dmarc.domain}", rdtype="TXT", after=f"v=DMARC1; {record}")


def _why_missing(dmarc: DmarcFacts) -> str | None:
    """The rule that says why there is none, where one does."""
    if len(dmarc.walk[0].records) > 1:
        return "dmarc-multiple-records"
    for _, damage in _near_misses(dmarc):
        return _DAMAGE_RULES.get(damage.kind if damage else "", "dmarc-syntax")
    if isinstance(dmarc.apex, Found) or isinstance(dmarc.doubled, Found):
        return "dmarc-record-misplaced"
    return None


@rule(Severity.ERROR, "RFC 9989 §4.10")
def dmarc_multiple_records(dmarc: DmarcFacts) -> Iterator[Finding]:
    """More than one DMARC record stands at one name.

    Receivers then discard them all, as if nothing were published.

    ## Fix
    Keep one record and delete the others. Several report addresses go into one `rua=`, separated by commas.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
        _dmarc  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    for step in dmarc.walk:
        if not step.reached:
            continue
        if step is dmarc.walk[0]:
            known(step.texts)
        if len(step.records) > 1:
            strongest = max(step.records, key=lambda text: _strength(parse_dmarc(text)))
            yield Finding(
                message="has several DMARC records: receivers discard all of them, and none protects the domain",
                subject=step.domain,
                evidence=tuple(Exhibit(text, title=f"{step.name} TXT") for text in step.records[:8]),
                fix=Fix(
                    "Delete all but one; this is the strictest of them.",
                    name=step.name,
                    rdtype="TXT",
                    before="\n".join(step.records[:8]),
                    after=corrected(parse_dmarc(strongest)) or strongest,
                ),
            )


def _strength(record: DmarcRecord) -> int:
    return ("none", "quarantine", "reject").index(record.policy) if record.policy else -1


@rule(Severity.ERROR, "RFC 9989 §4.7", "RFC 9989 §4.8")
def dmarc_syntax(dmarc: DmarcFacts) -> Iterator[Finding]:
    """The DMARC record breaks the grammar.

    Receivers pass over a record that does not begin with exactly `v=DMARC1;`, and over one with a tag that stands
    twice. Where `p`, `sp` or `np` is bad they take `p=none` if `rua` names an address, and else do no DMARC. Other
    tags with bad values count as if they were not there.

    ## Fix
    Publish the corrected record. `v=DMARC1` comes first, in capitals; tags are separated by semicolons; `p` is
    `none`, `quarantine` or `reject`.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=quarantene; rua=mailto:dmarc@example.com; adkim=strict"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com; adkim=s"

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=dmarc1 p=reject rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    for text, damage in _near_misses(dmarc):
        yield _broken(
            dmarc.domain,
            parse_dmarc(text),
            "receivers do not take it for a DMARC record, and pass over it",
            damage,
        )
    applied = known(dmarc.applied)
    if applied is not None and applied.record.problems:
        damage = damage_of(applied.record.text)
        yield _broken(applied.domain, applied.record, _effect(applied), damage)


def _effect(applied: AppliedRecord) -> str:
    if not applied.record.usable:
        return "receivers do no DMARC with it at all"
    if applied.record.recovered:
        return "receivers take it for p=none, and let forged mail through"
    return "receivers pass over the part that is wrong"


def _broken(domain: str, record: DmarcRecord, effect: str, damage: Damage | None) -> Finding:
    count = len(record.problems)
    what = record.problems[0].message if count == 1 else f"{record.problems[0].message}, and {count - 1} more"
    closer = parse_dmarc(without_empty_tags(record.text))
    told = (damage.repaired if damage else None) or corrected(record) or corrected(closer)
    after = told or corrected(closer, p="quarantine")
    return Finding(
        message=f"the DMARC record is broken ({what}): {effect}",
        subject=domain,
        severity=Severity.WARNING if all(problem.mild for problem in record.problems) else None,
        evidence=(
            Exhibit(
                record.text,
                title=f"_dmarc.{domain} TXT",
                marks=tuple(Mark(problem.start, problem.end, problem.message) for problem in record.problems[:8]),
            ),
        ),
        fix=Fix(
            "Publish the record so." if told else "What policy was meant cannot be told: with quarantine it reads so.",
            name=f"_dmarc.{domain}",
            rdtype="TXT",
            before=record.text,
            after=after,
        ),
        part_of=_DAMAGE_RULES.get(damage.kind) if damage else None,
    )


@rule(Severity.ERROR, "RFC 9989 §4.10")
def dmarc_record_misplaced(dmarc: DmarcFacts) -> Iterator[Finding]:
    """A DMARC record stands where no receiver looks for it.

    Receivers ask `_dmarc.` before the domain and nowhere else. A record at the domain itself comes from
    leaving out `_dmarc`; one at `_dmarc.example.com.example.com` from a zone editor that appends the domain by itself.

    ## Fix
    Move the record to `_dmarc` before the domain. In an editor that appends the domain, type `_dmarc` alone.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        @       TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"

    ## Bad
        $ORIGIN example.com.
        @                    MX   10 mx.example.net.
        _dmarc.example.com   TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @                    MX   10 mx.example.net.
        _dmarc.example.com.  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    places = ((dmarc.apex, dmarc.domain), (dmarc.doubled, f"_dmarc.{dmarc.domain}.{dmarc.domain}"))
    own = isinstance(dmarc.walk[0].texts, Found) and bool(dmarc.walk[0].records)
    for answer, name in places:
        for text in (known(answer) or ())[:2]:
            meant = damage_of(text)
            after = (meant.repaired if meant else None) or corrected(parse_dmarc(text)) or text
            yield Finding(
                message=(
                    "a second DMARC record stands where no receiver looks for it"
                    if own
                    else "the DMARC record stands where no receiver looks for it: it protects nothing"
                ),
                subject=dmarc.domain,
                severity=Severity.NOTICE if own else None,
                evidence=(Exhibit(text, title=f"{name} TXT"),),
                fix=Fix(f"Delete it at {name}.")
                if own
                else Fix(
                    f"Move it from {name} to its place.", name=f"_dmarc.{dmarc.domain}", rdtype="TXT", after=after
                ),
                cause=f"misplaced at {'the apex' if name == dmarc.domain else 'the doubled name'}",
            )


@rule(Severity.ERROR, "RFC 9989 §4.7")
def dmarc_quoted_twice(dmarc: DmarcFacts) -> Iterator[Finding]:
    r"""The quotes of a zone file have become part of the DMARC record.

    A text that begins with a quotation mark does not begin with `v=DMARC1`, so receivers pass over it.

    ## Fix
    Enter the value without quotation marks: the tool adds its own.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "\"v=DMARC1; p=reject; rua=mailto:dmarc@example.com\""

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    yield from _damaged(dmarc, "quoted", "quotation marks are part of the DMARC record: receivers pass over it")


@rule(Severity.ERROR, "RFC 9989 §4.8")
def dmarc_escaped(dmarc: DmarcFacts) -> Iterator[Finding]:
    r"""The DMARC record holds backslashes, from escaping that was done once too often.

    Zone files and DNS-as-code tools escape semicolons as `\;`. Where a tool escapes what is escaped already, the
    backslash is published, and the tag before it has a value no receiver knows.

    ## Fix
    Enter the value with plain semicolons, or turn off one of the two layers of escaping.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1\\; p=reject\\; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    yield from _damaged(dmarc, "escaped", "backslashes are part of the DMARC record: receivers do not read its tags")


@rule(Severity.ERROR, "RFC 9989 §4.8")
def dmarc_html_encoded(dmarc: DmarcFacts) -> Iterator[Finding]:
    """The DMARC record holds HTML character references such as `&#59;`.

    It was copied from the source of a web page, or a form encoded it. Receivers do not read HTML.

    ## Fix
    Enter the value as plain text.

    ## Bad
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1&#59; p=reject&#59; rua=mailto:dmarc@example.com"

    ## Good
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    yield from _damaged(
        dmarc, "html", "HTML character references are part of the DMARC record: receivers pass over them"
    )


def _damaged(dmarc: DmarcFacts, kind: str, message: str) -> Iterator[Finding]:
    texts = _texts_at(dmarc)
    if not texts:
        known(dmarc.walk[0].texts)
        raise NotApplicable(f"no TXT record at {dmarc.walk[0].name}")
    for text in texts:
        damage = damage_of(text) if not is_dmarc(text) or parse_dmarc(text).problems else None
        if damage is None or damage.kind != kind or (not is_dmarc(text) and dmarc.walk[0].records):
            continue
        yield Finding(
            message=message,
            subject=dmarc.domain,
            evidence=(Exhibit(text, title=f"{dmarc.walk[0].name} TXT"),),
            fix=Fix(
                "Publish the record so.", name=dmarc.walk[0].name, rdtype="TXT", before=text, after=damage.repaired
            ),
        )


@rule(Severity.ERROR, "deliverkit configuration: domains.dmarc")
def dmarc_not_as_expected(dmarc: DmarcFacts) -> Iterator[Finding]:
    """The policy that receivers apply is not the one that is expected.

    The expected policy was given for this domain. What receivers apply is compared: `sp` where the record is a
    parent's, and one step less where `t=y`.

    ## Fix
    Publish the policy that is meant, or correct the expectation.

    ## Bad
        ; check example.com --dmarc reject
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com"

    ## Good
        ; check example.com --dmarc reject
        $ORIGIN example.com.
        @       MX   10 mx.example.net.
        _dmarc  TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
    """
    if dmarc.expected is None:
        raise NotApplicable("no policy is expected")
    applied = known(dmarc.applied)
    policy = applied.policy if applied else None
    if policy == dmarc.expected:
        return
    yield Finding(
        message=f"receivers apply {policy or 'no policy'}, expected is {dmarc.expected}",
        subject=dmarc.domain,
        evidence=(Exhibit(applied.record.text, title=f"{applied.found_at} TXT"),) if applied else (),
        fix=Fix(
            "Publish the policy that is expected.",
            name=f"_dmarc.{dmarc.domain}",
            rdtype="TXT",
            before=None if applied.inherited else applied.record.text,
            after=corrected(applied.record, p=dmarc.expected, t=None),
        )
        if applied
        else Fix("Publish a record with the policy that is expected."),
        part_of=None if applied else "dmarc-missing",
    )


def _texts_at(dmarc: DmarcFacts) -> tuple[str, ...]:
    texts = dmarc.walk[0].texts
    return texts.value if isinstance(texts, Found) else ()


def _near_misses(dmarc: DmarcFacts) -> Iterator[tuple[str, Damage | None]]:
    """Texts at the domain's own name that were meant as its record, where no record stands there."""
    if isinstance(dmarc.walk[0].texts, Unknown) or dmarc.walk[0].records:
        return
    for text in _texts_at(dmarc)[:16]:
        damage = damage_of(text)
        if damage is not None or (looks_like_dmarc(text) and text[:32].lower().lstrip().startswith("v=dmarc")):
            yield text, damage
