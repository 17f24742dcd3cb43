"""Rules of area `dkim`: what a key record says."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.dkim import SelectorFacts
from deliverkit.model import Finding, Mark, Severity
from deliverkit.records.dkim import KEY_TYPES, KeyRecord, parse_key_record, written
from deliverkit.rules.declare import rule
from deliverkit.rules.dkim_finding import HOW, about, change, explained, published


def _marks(record: KeyRecord, name: str, note: str) -> tuple[Mark, ...]:
    tag = record.tags.first(name)
    return () if tag is None else (Mark(tag.name_span[0], tag.value_span[1], note),)


def _without(record: KeyRecord, name: str) -> str | None:
    """The record without one tag, if it is sound otherwise."""
    parts = [f"{tag.name}={tag.value}" for tag in record.tags.tags if tag.name != name]
    text = "; ".join(parts)
    return None if parse_key_record(text).errors else text


@rule(Severity.ERROR, "RFC 6376 §3.6.1", "RFC 6376 §3.2")
def dkim_key_syntax(selector: SelectorFacts) -> Iterator[Finding]:
    """The key record cannot be read, or its key cannot be loaded.

    Receivers treat such a record as if there were none: every signature by it fails.

    ## Fix
    Publish the record exactly as the mail software shows it: tags apart by semicolons, the key in `p=` unbroken.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; oops; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    record = published(selector)
    marks = tuple(Mark(error.start, error.end, error.message) for error in record.errors[:8])
    if not record.errors and selector.refused is None:
        return
    what = record.errors[0].message if record.errors else "verifiers cannot load its key"
    corrected = selector.diagnosis.corrected if selector.diagnosis else None
    step = (
        f"Publish the corrected record. {HOW}"
        if corrected
        else f"Publish the record anew as your mail software shows it. {HOW}"
    )
    yield about(
        selector,
        f"The key record of {selector.selector} cannot be used: {what}",
        marks=marks,
        fix=change(selector, step, corrected),
        part_of=explained(selector, "dkim-key-syntax"),
    )


@rule(Severity.ERROR, "RFC 6376 §3.6.1")
def dkim_version_not_first(selector: SelectorFacts) -> Iterator[Finding]:
    """`v=DKIM1` stands in the record, but not at its beginning.

    The version must be the first tag. Strict receivers discard the record otherwise.

    ## Fix
    Move `v=DKIM1` to the front.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "k=ed25519; v=DKIM1; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    record = published(selector)
    if not record.version_first:
        after = None if record.errors or record.p is None else written(record, record.p)
        yield about(
            selector,
            f"v= is not the first tag of the key record of {selector.selector}: strict receivers discard it",
            marks=_marks(record, "v", "must come first"),
            fix=change(selector, "Move v=DKIM1 to the front.", after),
            part_of=explained(selector, "dkim-version-not-first"),
        )


@rule(Severity.ERROR, "RFC 6376 §3.6.1", "RFC 8463 §3")
def dkim_unknown_key_type(selector: SelectorFacts) -> Iterator[Finding]:
    """The key is of a type that receivers do not know.

    They know `rsa` and `ed25519`; a record of another type is ignored.

    ## Fix
    Publish an RSA key of 2048 bits, with `k=rsa`.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=dsa; p=AAAA"

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    record = published(selector)
    corrected = selector.diagnosis.corrected if selector.diagnosis else None
    if record.key_type not in KEY_TYPES:
        yield about(
            selector,
            f"The key of {selector.selector} is of a type that receivers do not know: they ignore it",
            marks=_marks(record, "k", "neither rsa nor ed25519"),
            fix=change(
                selector,
                "Publish the corrected record." if corrected else "Publish an RSA key of 2048 bits, with k=rsa.",
                corrected,
            ),
            part_of=explained(selector, "dkim-unknown-key-type"),
        )


@rule(Severity.ERROR, "RFC 8301 §3.1", "RFC 6376 §3.6.1")
def dkim_key_sha1_only(selector: SelectorFacts) -> Iterator[Finding]:
    """The key may be used with SHA-1 only, which receivers refuse.

    `h=` names the hashes that signatures may use. SHA-1 must not be used any more, so nothing is left.

    ## Fix
    Remove `h=`, or set `h=sha256`.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; h=sha1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; h=sha256; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    record = published(selector)
    if record.hashes and "sha256" not in record.hashes:
        yield about(
            selector,
            f"The key of {selector.selector} does not allow SHA-256: receivers accept no signature by it",
            marks=_marks(record, "h", "no sha256"),
            fix=change(selector, "Remove h=.", _without(record, "h")),
            part_of=explained(selector, "dkim-key-sha1-only"),
        )


@rule(Severity.ERROR, "RFC 6376 §3.6.1")
def dkim_service_type_excludes_email(selector: SelectorFacts) -> Iterator[Finding]:
    """The key is not for mail.

    `s=` names the services that the key is for. Without `email` or `*` in it, receivers ignore the key.

    ## Fix
    Remove `s=`, or set `s=email`. For a key that only signs TLS reports (`s=tlsrpt`) this is as it should be.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; s=tlsrpt; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; s=email; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    record = published(selector)
    if record.services is not None and not {"*", "email"} & set(record.services):
        yield about(
            selector,
            f"The key of {selector.selector} is not for mail: s= names neither email nor *",
            marks=_marks(record, "s", "no email"),
            fix=change(selector, "Remove s=.", _without(record, "s")),
            part_of=explained(selector, "dkim-service-type-excludes-email"),
        )


@rule(Severity.ERROR, "RFC 6376 §3.6.1", "RFC 6376 §6.1.2")
def dkim_key_revoked(selector: SelectorFacts) -> Iterator[Finding]:
    """The key is revoked: `p=` is empty.

    An empty `p=` says that the key was withdrawn. Signatures that name the selector fail.

    ## Fix
    Sign with another selector, or publish the key in use.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; p="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    record = published(selector)
    if record.revoked:
        given = selector.given
        after = f"v=DKIM1; k={given.kind}; p={given.proper}" if given is not None and given.proper else None
        yield about(
            selector,
            f"The key of {selector.selector} is revoked (p= is empty): signatures by it fail",
            marks=_marks(record, "p", "empty"),
            fix=change(selector, "Sign with another selector, or publish the key that is in use.", after),
        )


@rule(Severity.WARNING, "RFC 6376 §3.6.1")
def dkim_key_testing(selector: SelectorFacts) -> Iterator[Finding]:
    """The key is marked as a test: `t=y`.

    It tells receivers not to treat signed mail differently from unsigned. Some then do not count the signature.

    ## Fix
    Remove `t=y` once mail is signed correctly.

    ## Bad
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; t=y; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    ## Good
        ; check example.com --selector s1
        $ORIGIN example.com.
        @ MX 10 mx
        s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    """
    record = published(selector)
    if record.testing:
        flags = ":".join(flag for flag in record.flags if flag != "y")
        after = _without(record, "t")
        if after is not None and flags:
            after = f"{after}; t={flags}"
        yield about(
            selector,
            f"The key of {selector.selector} is marked as a test (t=y): receivers need not count its signatures",
            marks=_marks(record, "t", "testing"),
            fix=change(selector, "Remove t=y.", after),
        )
