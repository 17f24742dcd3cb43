"""Rules about the version of TLS and the cipher that are agreed on.

The probe's client takes everything, best first: what is agreed on is the server's choice, or the best it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from deliverkit.facts.tls import TlsFacts
from deliverkit.model import Exhibit, Finding, Fix, Found, Inconclusive, NotApplicable, Severity, Unknown, Who
from deliverkit.rules.declare import rule

OBSOLETE: Final = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")
_VERSIONS: Final = (
    "Postfix: smtpd_tls_protocols = >=TLSv1.2 and smtpd_tls_mandatory_protocols = >=TLSv1.2; Exim: "
    "openssl_options = +no_sslv3 +no_tlsv1 +no_tlsv1_1; Dovecot: ssl_min_protocol = TLSv1.2; Exchange: switch TLS 1.0 "
    "and 1.1 off under SCHANNEL\\Protocols in the registry."
)
_CIPHERS: Final = (
    "Postfix: smtpd_tls_ciphers = medium, smtpd_tls_mandatory_ciphers = medium and smtpd_tls_exclude_ciphers = aNULL, "
    "eNULL, EXPORT, DES, 3DES, RC4, MD5; Exim: tls_require_ciphers; Dovecot: ssl_cipher_list."
)
_NO_SECRET: Final = re.compile(r"NULL|ADH|AECDH|anon", re.ASCII)
_WEAK: Final = re.compile(r"(?:^|[-_])(EXP|EXPORT|DES|3DES|RC4|RC2|MD5|IDEA|SEED)(?:[-_0-9]|$)", re.ASCII)
_FORWARD: Final = re.compile(r"DHE|ECDHE|ADH|AECDH|^TLS_", re.ASCII)


def negotiated(tls: TlsFacts) -> Exhibit:
    """What was agreed on, as evidence."""
    return Exhibit(
        f"{tls.version} with {tls.cipher or 'no cipher'}", title=f"TLS of {tls.host} [{tls.address}] port {tls.port}"
    )


def _accepted(tls: TlsFacts) -> tuple[str, ...]:
    """The obsolete versions that the scan found accepted."""
    return tuple(s.version for s in tls.scan if s.version in OBSOLETE and isinstance(s.accepted, Found))


@rule(Severity.WARNING, "RFC 8996 §4", "RFC 8996 §5", "RFC 9325 §3.1.1", who=Who.MAIL_ADMIN)
def tls_protocol_obsolete(tls: TlsFacts) -> Iterator[Finding]:
    """The server accepts TLS 1.0 or 1.1.

    Both rest on MD5 and SHA-1 and must not be negotiated. Without `--tls-scan` only the version that was agreed on is
    known; with it each old one is tried by itself.

    ## Fix
    Begin at TLS 1.2. Postfix: `smtpd_tls_protocols = >=TLSv1.2`, `smtpd_tls_mandatory_protocols = >=TLSv1.2`; Exim:
    `openssl_options = +no_sslv3 +no_tlsv1 +no_tlsv1_1`; Dovecot: `ssl_min_protocol = TLSv1.2`.

    ## Bad
        ; check mail.example.com --port 587 --tls-scan
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        versions  TLSv1.1 TLSv1.2 TLSv1.3

    ## Good
        ; check mail.example.com --port 587 --tls-scan
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        versions  TLSv1.2 TLSv1.3
    """
    only = tls.version in OBSOLETE
    found = tuple(dict.fromkeys((*((tls.version,) if only else ()), *_accepted(tls))))
    if found:
        named = " and ".join(version.replace("TLSv", "TLS ") for version in sorted(found))
        yield Finding(
            message=f"accepts {_full(named)}, which must not be used any more",
            subject=tls.where,
            evidence=(
                negotiated(tls),
                *(
                    Exhibit(f"{s.version} with {s.accepted.value}", title="offered alone")
                    for s in tls.scan
                    if s.version in found and isinstance(s.accepted, Found)
                ),
            ),
            fix=Fix(f"Begin at TLS 1.2. {_VERSIONS}"),
            part_of="tls-protocol-none-current" if only else None,
            cause="obsolete",
        )
    unknown = next((s.accepted.why for s in tls.scan if s.version in OBSOLETE and isinstance(s.accepted, Unknown)), "")
    if unknown:
        raise Inconclusive(unknown)


def _full(named: str) -> str:
    """`TLS 1` is written `TLS 1.0`."""
    return re.sub(r"TLS 1(?!\.)", "TLS 1.0", named)


@rule(Severity.ERROR, "RFC 8996 §4", "RFC 9325 §3.1.1", who=Who.MAIL_ADMIN)
def tls_protocol_none_current(tls: TlsFacts) -> Iterator[Finding]:
    """The server knows no version of TLS that is still used.

    A client that offers everything ended at TLS 1.1 or below. Current clients do not offer these versions: mail
    programs cannot connect, and senders deliver in clear or not at all.

    ## Fix
    Update the TLS library and the server; TLS 1.2 has been there since 2008. Look for a setting that caps the
    version (Postfix: `smtpd_tls_protocols`, Exim: `openssl_options`, OpenSSL: `MaxProtocol`).

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        versions  TLSv1.1

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        versions  TLSv1.2 TLSv1.3
    """
    if tls.version in OBSOLETE:
        yield Finding(
            message=f"speaks {_full(tls.version.replace('TLSv', 'TLS '))} at most: current clients cannot agree with "
            "it on any version",
            subject=tls.where,
            evidence=(negotiated(tls),),
            fix=Fix(f"Update the server and its TLS library, and switch TLS 1.2 and 1.3 on. {_VERSIONS}"),
            cause="none current",
        )


@rule(Severity.NOTICE, "RFC 9325 §3.1.1", "RFC 8446", who=Who.MAIL_ADMIN)
def tls_protocol_1_3_missing(tls: TlsFacts) -> Iterator[Finding]:
    """The server does not speak TLS 1.3.

    TLS 1.2 is sound where it is set up with care. TLS 1.3 needs no such care, hides the certificate from onlookers and
    takes one round trip less.

    ## Fix
    Update the TLS library (OpenSSL 1.1.1 and later has it) and lift a cap on the version (Postfix:
    `smtpd_tls_protocols = >=TLSv1.2`, not `TLSv1.2`).

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        versions  TLSv1.2

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        versions  TLSv1.2 TLSv1.3
    """
    if tls.version in OBSOLETE:
        raise NotApplicable("not even TLS 1.2")
    if tls.version != "TLSv1.3":
        yield Finding(
            message="speaks TLS 1.2 at most",
            subject=tls.where,
            evidence=(negotiated(tls),),
            fix=Fix(f"Update the TLS library, or lift the cap on the version. {_VERSIONS}"),
            part_of=_worse(tls.cipher),
        )


def _worse(cipher: str) -> str | None:
    """The rule about a cipher that TLS 1.3 would have kept out."""
    if _NO_SECRET.search(cipher):
        return "tls-cipher-null"
    if _WEAK.search(cipher):
        return "tls-cipher-weak"
    return None if _FORWARD.search(cipher) else "tls-no-forward-secrecy"


@rule(Severity.ERROR, "RFC 9325 §4.1", "RFC 7672 §8.2", who=Who.MAIL_ADMIN)
def tls_cipher_null(tls: TlsFacts) -> Iterator[Finding]:
    """The server agrees on a cipher that encrypts nothing, or proves nothing.

    A NULL cipher sends everything in clear under the name of TLS. An anonymous one shows no certificate, so that
    anybody in between can read along.

    ## Fix
    Take them out. Postfix: `smtpd_tls_exclude_ciphers = aNULL, eNULL`; Exim: `tls_require_ciphers = HIGH:!aNULL`;
    Dovecot: `ssl_cipher_list = HIGH:!aNULL:!eNULL`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com key=rsa-2048
        versions     TLSv1.2
        cipher       NULL-SHA256

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com key=rsa-2048
    """
    if _NO_SECRET.search(tls.cipher):
        yield Finding(
            message="agrees on a cipher that does not encrypt"
            if "NULL" in tls.cipher
            else "agrees on a cipher without a certificate: anybody in between can read along",
            subject=tls.where,
            evidence=(negotiated(tls),),
            fix=Fix(f"Take NULL and anonymous ciphers out. {_CIPHERS}"),
        )


@rule(Severity.WARNING, "RFC 9325 §4.1", "RFC 7465", "RFC 8429", who=Who.MAIL_ADMIN)
def tls_cipher_weak(tls: TlsFacts) -> Iterator[Finding]:
    """The server agrees on a cipher that is broken: RC4, DES, 3DES, an export cipher.

    A client that offers every cipher, the best first, ended there: the server has none better, or prefers it.

    ## Fix
    Take them out. Postfix: `smtpd_tls_exclude_ciphers = EXPORT, DES, 3DES, RC4, MD5`; Exim:
    `tls_require_ciphers = HIGH:!3DES:!RC4`; Dovecot: `ssl_cipher_list = HIGH:!3DES:!RC4`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com key=rsa-2048
        versions     TLSv1.2
        cipher       ECDHE-RSA-DES-CBC3-SHA

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com key=rsa-2048
    """
    if _NO_SECRET.search(tls.cipher):
        raise NotApplicable("no secret at all")
    if _WEAK.search(tls.cipher):
        yield Finding(
            message="agrees on a cipher that is broken",
            subject=tls.where,
            evidence=(negotiated(tls),),
            fix=Fix(f"Leave modern ciphers alone. {_CIPHERS}"),
        )


@rule(Severity.WARNING, "RFC 9325 §4.1", "RFC 9325 §7.3", who=Who.MAIL_ADMIN)
def tls_no_forward_secrecy(tls: TlsFacts) -> Iterator[Finding]:
    """The session's key hangs on the certificate's key alone.

    Whoever records the session today and gets hold of the server's private key later reads all of it. With (EC)DHE
    each session has a key of its own that nobody keeps.

    ## Fix
    Allow ECDHE ciphers and let the server choose. Postfix: `tls_preempt_cipherlist = yes` and
    `smtpd_tls_exclude_ciphers = kRSA`; Exim: `tls_require_ciphers = ECDHE:!kRSA`; Dovecot:
    `ssl_cipher_list = ECDHE:!kRSA`.

    ## Bad
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com key=rsa-2048
        versions     TLSv1.2
        cipher       AES128-GCM-SHA256

    ## Good
        mail.example.com.  A  192.0.2.25

        [smtp mail.example.com:587]
        certificate  names=mail.example.com key=rsa-2048
    """
    if not tls.cipher or _NO_SECRET.search(tls.cipher):
        raise NotApplicable("no cipher that encrypts")
    if tls.version != "TLSv1.3" and not _FORWARD.search(tls.cipher):
        yield Finding(
            message="agrees on a key exchange without forward secrecy: who gets the server's key later reads all "
            "sessions that were recorded",
            subject=tls.where,
            evidence=(negotiated(tls),),
            fix=Fix(
                "Allow ECDHE ciphers and leave RSA key exchange out. Postfix: smtpd_tls_exclude_ciphers = kRSA; Exim: "
                "tls_require_ciphers; Dovecot: ssl_cipher_list = ECDHE:!kRSA."
            ),
        )
