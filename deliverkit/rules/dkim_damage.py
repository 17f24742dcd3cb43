"""Rules of area `dkim`: what happened to a key record on its way into the zone."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dkim import SelectorFacts
from deliverkit.model import Exhibit, Finding, Fix, Mark, Severity
from deliverkit.records.dkim_damage import STRING, Diagnosis, Kind
from deliverkit.rules.declare import rule
from deliverkit.rules.dkim_finding import HOW, about, change, explained, published


def _marks(diagnosis: Diagnosis, *kinds: Kind) -> tuple[Mark, ...]:
    return tuple(Mark(d.start, d.end, d.note) for d in diagnosis.damages if d.kind in kinds)


def _damaged(selector: SelectorFacts, rule_id: str, kind: Kind, message: str) -> Iterator[Finding]:
    published(selector)
    diagnosis = selector.diagnosis
    if diagnosis is None or not diagnosis.has(kind):
        return
    corrected = diagnosis.corrected
    step = "Publish the corrected record." if corrected else "Publish the record anew, as your mail software shows it."
    yield about(
        selector,
        message,
        marks=_marks(diagnosis, kind),
        fix=change(selector, f"{step} {HOW}", corrected),
        part_of=explained(selector, rule_id),
    )


@rule(Severity.ERROR, "RFC 6376 §3.6.2.2", "RFC 1035 §3.3")
def dkim_key_cut(selector: SelectorFacts) -> Iterator[Finding]:
    """The key is cut off: only its beginning is published, or its parts stand in separate records.

    One string of a TXT record holds 255 characters, and an RSA key of 2048 bits takes more. Editors that do not
    split the text into several strings of one record cut it, or make several records of it. The key is useless.

    ## Fix
    Publish the whole record as one TXT record of several strings: `"first 255 characters" "the rest"`.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAowEUd9k8Zb+1XEW6WxZ9Z0"
            "xuD+6bx2MRSFV3+eEGZIdmn+Ogm/lxhW66wP4tn6IyDUFkb/QMAWePOjeqj4jqeZlb8uSlNA49srZplJh5rD"
            "o7WCiXuY7tR96yYjQ8wZsX5oVB8X66q0rNCYgOlOxWzvqpb689PvtDp2VsG+zxCXu2jPOV+Hhm2n+Yq+4Jtl"
            "b+b" )

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT (
            "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAowEUd9k8Zb+1XEW6WxZ9Z0"
            "xuD+6bx2MRSFV3+eEGZIdmn+Ogm/lxhW66wP4tn6IyDUFkb/QMAWePOjeqj4jqeZlb8uSlNA49srZplJh5rD"
            "o7WCiXuY7tR96yYjQ8wZsX5oVB8X66q0rNCYgOlOxWzvqpb689PvtDp2VsG+zxCXu2jPOV+Hhm2n+Yq+4Jtl"
            "b+bXUA2GxMrlgM6rko+71oVR1Dd5HxmfFMQf6BHANDdoApZvRdi0h9dK1TLLdsEMiihKFQxUqOWr1tiR18/P"
            "ILEsp5z48mAeOT1mNjUYlFliXVDl2KXpMGMvoZkSAgzEprHlf8EiM0Qm7Uo9rp+3OVvwIDAQAB" )
    """
    published(selector)
    diagnosis = selector.diagnosis
    if diagnosis is None or not (diagnosis.has(Kind.CUT) or diagnosis.has(Kind.SPLIT)):
        return
    if diagnosis.has(Kind.SPLIT):
        yield about(
            selector,
            f"The key of {selector.selector} is split over separate TXT records: receivers see only a piece of it",
            evidence=tuple(
                Exhibit(
                    text=text, title=f"{selector.name} TXT", marks=(Mark(len(text), len(text), "goes on elsewhere"),)
                )
                for text in diagnosis.merged
            ),
            fix=change(selector, f"Delete these records and publish the one below. {HOW}", diagnosis.corrected),
            part_of=explained(selector, "dkim-key-cut"),
        )
        return
    key = selector.record.key if selector.record else None
    size = f" of {key.bits} bits" if key is not None and key.bits else ""
    lost = f"{diagnosis.missing} of {diagnosis.missing + (key.octets if key else 0)} octets"
    at = " after 255 characters, where one string of a TXT record ends" if len(diagnosis.text) == STRING else ""
    step = (
        f"Publish the whole record. {HOW}"
        if diagnosis.corrected
        else f"What was cut off ({lost} of the key) stands nowhere in DNS. Copy the whole record from what made "
        f"the key, or give its key file: --key FILE prints the record. {HOW}"
    )
    yield about(
        selector,
        f"The key{size} of {selector.selector} is cut off{at}: receivers cannot load it",
        marks=_marks(diagnosis, Kind.CUT),
        fix=change(selector, step, diagnosis.corrected),
        part_of=explained(selector, "dkim-key-cut"),
    )


@rule(Severity.ERROR, "RFC 6376 §3.6.1", "RFC 1035 §5.1")
def dkim_key_quoted(selector: SelectorFacts) -> Iterator[Finding]:
    r"""Quotation marks of a zone file became part of the record.

    In a zone file quotation marks stand around the text; typed into an editor that adds its own they are
    published, and receivers cannot read the record.

    ## Fix
    Enter the text without quotation marks.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "\"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\""

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    yield from _damaged(
        selector,
        "dkim-key-quoted",
        Kind.QUOTED,
        f"Quotation marks became part of the key record of {selector.selector}: receivers cannot read it",
    )


@rule(Severity.ERROR, "RFC 6376 §3.6.1", "RFC 1035 §5.1")
def dkim_key_escaped(selector: SelectorFacts) -> Iterator[Finding]:
    r"""Backslashes of a zone file became part of the record.

    In a zone file a semicolon outside quotation marks is written `\;`. Typed into an editor or a tool that needs no
    escapes the backslash is published, and receivers cannot read the record.

    ## Fix
    Enter the text without backslashes.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1\\; k=ed25519\\; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    yield from _damaged(
        selector,
        "dkim-key-escaped",
        Kind.ESCAPED,
        f"Backslashes became part of the key record of {selector.selector}: receivers cannot read it",
    )


@rule(Severity.WARNING, "RFC 6376 §3.6.2.2", "RFC 6376 §2.10")
def dkim_key_spaces(selector: SelectorFacts) -> Iterator[Finding]:
    """White space stands inside the key.

    The strings of a TXT record are joined with nothing between them. Pasted with spaces or line breaks at the
    seams, the key holds them; many receivers skip them, some refuse the key, and a seam inside a tag breaks it.

    ## Fix
    Enter the key without spaces and line breaks.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQH Og7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    yield from _damaged(
        selector,
        "dkim-key-spaces",
        Kind.SPACES,
        f"White space stands inside the key record of {selector.selector}: some receivers refuse it",
    )


@rule(Severity.ERROR, "RFC 6376 §3.6.1")
def dkim_key_html_encoded(selector: SelectorFacts) -> Iterator[Finding]:
    """The record is encoded, as for HTML or a URL.

    Copied from a page's source or through a form, `+`, `/`, `=` or quotation marks became `&#43;`, `%2F` or
    `&quot;`. Receivers do not decode them.

    ## Fix
    Enter the text as the page shows it.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "&quot;v=DKIM1; k=ed25519; p=11qYAYKxCrfVS&#x2F;7TyWQHOg7hcvPapiMlrwIaaPcHURo=&quot;"

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    yield from _damaged(
        selector,
        "dkim-key-html-encoded",
        Kind.ENCODED,
        f"The key record of {selector.selector} is encoded as for HTML or a URL: receivers cannot read it",
    )


@rule(Severity.ERROR, "RFC 6376 §8.3", "RFC 6376 §3.6.1")
def dkim_private_key_published(selector: SelectorFacts) -> Iterator[Finding]:
    """The private key is published.

    Whoever reads it can sign mail as the domain. It must never be used again.

    ## Fix
    Delete the record, make a new pair of keys under a new selector, and publish only its public half.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; p=-----BEGIN PRIVATE KEY-----MIIBVQIBADAN"

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    published(selector)
    diagnosis = selector.diagnosis
    if diagnosis is not None and diagnosis.has(Kind.PRIVATE):
        yield about(
            selector,
            f"The PRIVATE key of {selector.selector} is published: anybody can sign as this domain",
            marks=_marks(diagnosis, Kind.PRIVATE),
            fix=Fix(
                text="Delete this record now. Make a new pair of keys under a new selector, and publish only "
                "the public half.",
                name=selector.name,
                rdtype="TXT",
                before=diagnosis.text,
            ),
        )
