"""What the user asked and expects: part of the evidence, so that rules stay pure."""

from __future__ import annotations

import msgspec


class Expected(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state a domain is meant to be in; None or empty: nothing is expected."""

    role: str | None = None
    """`mail`, `send-only`, `receive-only` or `parked`; None: to be recognised."""
    mx: tuple[str, ...] | None = None
    dmarc: str | None = None
    mta_sts: str | None = None
    """The mode of the policy: `enforce`, `testing` or `none`."""
    dkim_cnames: dict[str, str] = {}


class Sessions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The SMTP sessions to open; never a secret."""

    ports: tuple[int, ...] = (25, 465, 587, 2525)
    by_mx: bool = False
    """The target is a domain: every MX of it, on 25."""
    tls: str = "auto"
    """A `Mode`: auto, starttls, implicit or none."""
    helo: str = ""
    user: str | None = None
    mechanism: str | None = None
    insecure_auth: bool = False
    relay_to: str | None = None
    source_address: str | None = None
    as_mx_of: str | None = None
    """The domain whose MX the host is to become: its policies are what the session is held to."""
    certificate: bytes | None = None
    """The leaf that is expected, DER."""
    tls_scan: bool = False


class SignedBy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A DKIM signature that the message carries or is to carry: d=, s=, and the public half of its key."""

    domain: str
    selector: str
    key: bytes | None = None
    """SubjectPublicKeyInfo, DER; None: not at hand."""
    verified: bool | None = None
    """Whether it verified against what is published; None: it was not tried."""


class DeliveryInputs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A delivery to judge as its receiver will: in whose name, from where, and signed by whom."""

    sender: str = ""
    """The reverse-path `local@domain`; "": the null one."""
    from_domain: str | None = None
    """The domain of the one From address, A-labels; None: there is none."""
    sources: tuple[str, ...] = ()
    """The addresses that are connected from; empty: not known."""
    helo: str = ""
    """What EHLO says; "": not known."""
    signatures: tuple[SignedBy, ...] = ()
    authenticated: bool = False
    """Submitted with a login: the receiver sees the address and the HELO of the server that takes it."""
    server: str | None = None
    """That server's name."""

    @property
    def sender_domain(self) -> str | None:
        """The domain of the reverse-path; None for the null one, and for an address literal."""
        domain = self.sender.rpartition("@")[2].lower().removesuffix(".")
        return None if not domain or domain.startswith("[") else domain


class Inputs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One target and what to ask of it."""

    domain: str
    """A-labels, lower case, no trailing dot."""
    areas: tuple[str, ...] = ("mx", "spf", "dkim", "dmarc")
    selectors: tuple[str, ...] = ()
    """DKIM selectors named by the user; empty: inferred."""
    senders: tuple[str, ...] = ()
    """Addresses that send for the domain: each must get SPF pass."""
    verdicts_only: bool = False
    """The verdicts for `senders` are data, as `spf --ip` asks: none of them is a finding, and any domain is taken."""
    sender: str | None = None
    """MAIL FROM for SPF; None: postmaster@domain."""
    helo: str | None = None
    key: bytes | None = None
    """PEM of a private or public key to compare with what is published: only its public half is kept (SPKI, DER)."""
    each_nameserver: bool = False
    second_opinion: bool = False
    expected: Expected = Expected()
    sessions: Sessions | None = None
    """The SMTP sessions asked for; None: none."""
    delivery: DeliveryInputs | None = None
    """The delivery to judge; None: none. With it nothing else is asked of the domain."""
    policy: bytes | None = None
    """An MTA-STS policy to judge in place of the one that is published."""
    policy_name: str = ""
    """Where that policy is from: the path of a file, as the user named it."""
    connect_to: tuple[str, ...] = ()
    """`HOST:PORT:ADDR:PORT`: where connections really go."""
    allow_private: bool = False
    """Whether addresses that the DNS named are connected to though no stranger could reach them."""
    ipv4: bool = True
    ipv6: bool = True
