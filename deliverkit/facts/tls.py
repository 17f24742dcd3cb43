"""Facts of area `tls`: what one endpoint's TLS is, and what is asked of it."""

from __future__ import annotations

from deliverkit.facts.tree import Fact
from deliverkit.model import Answer
from deliverkit.records.certificate import Certificate


class ScanFacts(Fact, frozen=True, kw_only=True):
    """One TLS version, offered alone. `accepted`: Absent where the server refused it."""

    version: str
    accepted: Answer[str]
    """Found: the cipher that was agreed on."""


class TlsFacts(Fact, frozen=True, kw_only=True):
    """The TLS of one endpoint, as it was negotiated by a client that takes everything."""

    host: str
    address: str
    port: int
    submission: bool
    """A submission port: clients verify the certificate there. An MX's is verified only under a policy."""
    implicit: bool
    """TLS at once (RFC 8314), not by STARTTLS."""
    now: float
    version: str
    cipher: str
    chain: tuple[Certificate, ...]
    """As sent, leaf first; empty where the server sent none."""
    trusted: bool
    trust_error: str | None = None
    """Why the chain leads to no trust anchor, in words; None where it does."""
    trust_code: int = 0
    """OpenSSL's X509_V_ERR_ code: 10 expired, 9 not yet valid, 18 self-signed leaf, 19 self-signed in chain, 20 and 21
    issuer not found, 26 purpose."""
    names: tuple[str, ...]
    """What clients may look for: the host's name; one of these has to be borne by the leaf."""
    name_matches: bool
    asks_client: bool = False
    expected: Certificate | None = None
    """The leaf that is expected (`--expect-certificate`), where one is."""
    unnamed: Answer[Certificate]
    """The leaf that comes where the client sends no server name; Absent: not asked for."""
    scan: tuple[ScanFacts, ...] = ()
    dane: str = "none"
    """`match`, `mismatch`, `none` (no TLSA records), `unsigned` (records that DNSSEC does not secure) or `unknown`."""
    dane_ee: bool = False
    """What matched is DANE-EE: names and dates then count for nothing (RFC 7672 §3.1.1)."""
    dane_outcome: str = ""
    """What the chain came to against the TLSA records, whatever DNSSEC says: `match`, `mismatch`, `unusable` or ""."""
    dane_name: str = ""
    """Where the TLSA records are: `_25._tcp.mx.example.com`."""
    dane_foreign: bool = False
    """Those records stand in no zone of the domain's whose mail the host takes, but in its provider's."""
    dane_records: tuple[str, ...] = ()
    """Those records, in presentation form."""
    dane_why: str = ""
    """Why they do not match, or why nobody can tell."""
    enforced_by: str | None = None
    """The domain whose enforce-mode MTA-STS policy covers this host, None where none does."""
    policy_unknown: str | None = None
    """Why nobody can tell whether a policy covers this host: then nobody can tell either who verifies it."""
    testing_by: str | None = None
    """The domain whose testing-mode MTA-STS policy covers this host."""
    missed_by: str | None = None
    """The domain whose MTA-STS policy, in enforce or testing mode, does not cover this host though it is its MX."""
    missed_mode: str = ""
    """The mode of that policy."""

    @property
    def leaf(self) -> Certificate | None:
        """The server's own certificate."""
        return self.chain[0] if self.chain else None

    @property
    def where(self) -> str:
        """`mail.example.com port 587`."""
        return f"{self.host} port {self.port}"
