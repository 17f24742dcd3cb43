"""What the sections of a world say: one HTTPS resource, one SMTP server, one certificate."""

from __future__ import annotations

from typing import Final

import msgspec

SUBMISSION: Final = (465, 587, 2525)
SMTPS: Final = 465
HTTPS: Final = 443
WELL_KNOWN: Final = "/.well-known/mta-sts.txt"
"""Where an MTA-STS policy lies (RFC 8461 §3.3)."""

CONNECT_FAULTS: Final = frozenset({"timeout", "refused", "unreachable", "reset"})
STEP_FAULTS: Final = frozenset({"timeout", "close", "reset", "garbage"})
HTTPS_FAULTS: Final = frozenset({"timeout", "refused", "reset", "garbage", "tls", "silent"})
VERSIONS: Final = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
"""As OpenSSL names them, oldest first."""


class WorldError(ValueError):
    """The text is not a world; the message names the line."""


class CertificateWish(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate as a world asks for it. Hashable: equal wishes are one certificate."""

    names: tuple[str, ...]
    """Of subjectAltName; empty: the extension is left out."""
    cn: str | None = None
    """The common name; None: the first of the names."""
    days: float = 60
    """Left from the world's now; negative: expired."""
    age: float = 30
    """Since it was issued; negative: it is not valid yet."""
    key: str = "ec-p256"
    signature: str = "sha256"
    issuer: str = "ca"
    """`ca` (trusted in the world), `unknown` (a CA nobody trusts) or `self`."""
    send: str = "chain"
    """`chain` (leaf and intermediate), `leaf`, `root` (the whole chain) or `disordered` (leaf, root, intermediate)."""
    purpose: str = "server"
    """Of extendedKeyUsage: `server`, `client` (not meant for servers) or `none` (the extension is left out)."""


class HttpsSection(msgspec.Struct, frozen=True, kw_only=True):
    """One resource of one HTTPS host."""

    host: str
    port: int = HTTPS
    path: str = WELL_KNOWN
    status: int = 200
    type: str = "text/plain"
    """The Content-Type field; "" leaves it out."""
    location: str = ""
    body: bytes = b""
    certificate: CertificateWish
    unnamed: CertificateWish | None = None
    versions: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    fault: str = ""
    refuses: tuple[str, ...] = ()
    """Addresses of the host at which connections are refused."""


class SmtpSection(msgspec.Struct, frozen=True, kw_only=True):
    """One SMTP server. Replies are octets without their last line end; lists of `offer` are EHLO lines."""

    host: str
    port: int
    name: str
    """What it calls itself, in its banner and to EHLO."""
    certificate: CertificateWish
    unnamed: CertificateWish | None = None
    """For a client that sends no server name; None: the same."""
    versions: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    cipher: str = ""
    """What is said to be agreed on, in memory; "" is what OpenSSL would take."""
    asks_client: bool = False
    mode: str = "starttls"
    """`implicit`, `starttls` or `clear`."""
    banner: bytes
    offer: tuple[str, ...]
    """In clear; nothing where TLS comes at once."""
    offer_tls: tuple[str, ...]
    """Inside TLS."""
    replies: dict[tuple[str, str], bytes] = {}
    """By (where, command), where is `any`, `clear` or `tls`: what is answered in place of the usual."""
    faults: dict[str, str] = {}
    """By command, or CONNECT, BANNER, TLS: what happens in place of a reply."""
    slow: float = 0.0
    """Seconds that the banner takes, as the record of the session has it: nobody waits for them."""
    inject: bytes = b""
    """Plain octets right behind the reply to STARTTLS."""
    users: dict[str, str] = {}
    """Passwords and tokens by user."""
    domains: tuple[str, ...] = ()
    """Whose mail is taken from anybody."""

    @property
    def submission(self) -> bool:
        """Whether users hand in mail here, which wants TLS and a login (RFC 6409, RFC 8314)."""
        return self.port in SUBMISSION

    def scripted(self, verb: str, *, tls: bool) -> bytes | None:
        """The reply that the world's text gives to a command; None: the usual one."""
        for where in ("tls" if tls else "clear", "any"):
            if (where, verb) in self.replies:
                return self.replies[where, verb]
        return None


def is_under(name: str, domain: str) -> bool:
    """Whether `name` is `domain` or below it."""
    return name == domain or name.endswith(f".{domain}")
