"""Facts of area `mta-sts`: the record, the policy host and the policy (RFC 8461)."""

from __future__ import annotations

from deliverkit.facts.mx import SpecialAddress
from deliverkit.facts.tree import Fact
from deliverkit.model import Absent, Answer, FetchOutcome
from deliverkit.records.certificate import Certificate
from deliverkit.records.mta_sts import MxPattern, StsRecord, mx_covered
from deliverkit.records.versioned import Problem

URL = "https://{host}/.well-known/mta-sts.txt"


class PolicyFacts(Fact, frozen=True, kw_only=True):
    """A policy document that could be read."""

    domain: str
    text: str
    mode: str | None
    """`enforce`, `testing` or `none`; None where it is missing or unknown."""
    mx: tuple[str, ...]
    max_age: int | None
    valid: bool
    patterns: tuple[MxPattern, ...] = ()
    """`mx`, each with its place in the text."""
    problems: tuple[Problem, ...] = ()
    source: str = ""
    """Its URL, or that it is a file."""
    hosts: Answer[tuple[str, ...]] = Absent("not asked for")
    """The hosts that take the domain's mail; Absent: it takes none."""
    utf8: bool = True
    media_type: str = "text/plain"
    """Its Content-Type; "" where the server sent none."""

    def covers(self, host: str) -> bool:
        """Whether one of its patterns stands for this mail host (RFC 8461 §4.1)."""
        return any(mx_covered(pattern, host) for pattern in self.mx)


class FetchFacts(Fact, frozen=True, kw_only=True):
    """What one address of the policy host answered."""

    domain: str
    host: str
    url: str
    address: str
    now: float
    outcome: FetchOutcome
    why: str
    status: int = 0
    media_type: str = ""
    location: str = ""
    text: str = ""
    """The body, clipped; octets that are not UTF-8 as `\\xNN`."""
    utf8: bool = True
    certificate: Certificate | None = None
    """The server's own."""
    trusted: bool | None = None
    trust_error: str | None = None
    trust_code: int = 0
    name_matches: bool = True
    """Whether the certificate bears the policy host's name."""

    @property
    def served(self) -> bool:
        """Whether a document came, whatever is in it."""
        return self.outcome is FetchOutcome.ANSWERED and self.status == 200  # noqa: PLR2004 - RFC 8461 §3.3

    @property
    def expired(self) -> bool:
        """Whether the certificate is out of its dates."""
        return self.trust_code in (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED


class MtaStsFacts(Fact, frozen=True, kw_only=True):
    """What a domain says of MTA-STS."""

    domain: str
    expected: str | None = None
    """The mode that the configuration expects."""
    hosts: Answer[tuple[str, ...]] = Absent("not asked for")
    """As `PolicyFacts.hosts`."""
    texts: Answer[tuple[str, ...]] = Absent("not asked for")
    """Every TXT record at `_mta-sts`, whatever it is."""
    records: tuple[StsRecord, ...] = ()
    """Those that senders recognise."""
    from_file: bool = False
    """The policy is the user's file, not the one that is published."""
    from_zone: bool = False
    """The record is a zone file's, not the one that is published."""
    policy_host: str = ""
    ipv4: Answer[tuple[str, ...]] = Absent("not asked for")
    ipv6: Answer[tuple[str, ...]] = Absent("not asked for")
    aliases: tuple[str, ...] = ()
    """The names a CNAME at the policy host leads through."""
    special: tuple[SpecialAddress, ...] = ()
    """Its addresses that no stranger can reach."""
    withheld: bool = False
    """All its addresses are such, and none was connected to."""
    fetches: tuple[FetchFacts, ...] = ()
    """What each address answered that was asked, the one that counts first."""
    policy: Answer[PolicyFacts]
    published: Answer[str] = Absent("not asked for")
    """With a file: the text of the policy that is published."""

    @property
    def name(self) -> str:
        """Where the record stands."""
        return f"_mta-sts.{self.domain}"

    @property
    def url(self) -> str:
        """Where the policy lies (RFC 8461 §3.3)."""
        return URL.format(host=self.policy_host)

    @property
    def record(self) -> StsRecord | None:
        """The one record that senders use; None where there is none, or more than one, or it is not valid."""
        return self.records[0] if len(self.records) == 1 and self.records[0].valid else None

    @property
    def fetch(self) -> FetchFacts | None:
        """The answer that counts; None where nobody was asked."""
        return self.fetches[0] if self.fetches else None
