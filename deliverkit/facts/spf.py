"""Facts of area `spf`: the record, the tree it spans, and verdicts for addresses."""

from __future__ import annotations

from deliverkit.facts.tree import Fact
from deliverkit.model import Answer, Found
from deliverkit.records.spf import SpfRecord, SpfTerm
from deliverkit.records.spf_hint import NearMiss

LIMIT = 10
"""DNS lookups an evaluation may take (RFC 7208 §4.6.4)."""
VOID_LIMIT = 2
"""Of these, lookups without an answer (RFC 7208 §4.6.4)."""
CAP = 50
"""Lookups that are followed; a tree with more is said to have CAP + 1."""
MX_LIMIT = 10
"""Hosts that one `mx` may name (RFC 7208 §4.6.4)."""


class SpfTermFacts(Fact, frozen=True, kw_only=True):
    """One term of a record in the tree.

    `lookups` is what the term costs with all below it, `total` the sum over the tree up to and with it,
    in the order receivers evaluate.
    """

    term: SpfTerm
    where: str
    """The domain whose record holds it."""
    target: str | None = None
    """The name it asks for; None: it asks nothing, or its name depends on the message (`dynamic`)."""
    dynamic: bool = False
    ignored: bool = False
    """Stands after `all`, or is a redirect beside one: no receiver comes to it (RFC 7208 §5.1, §6.1)."""
    loop: bool = False
    """Leads back to a domain whose record is being evaluated."""
    repeated: bool = False
    """Its domain's record was shown before; it counts again all the same."""
    beyond: bool = False
    """Not followed: the tree is over the cap."""
    lookups: int = 0
    total: int = 0
    void: bool = False
    """Its lookup had no answer (NXDOMAIN or NODATA)."""
    addresses: Answer[tuple[str, ...]] | None = None
    """Of a, mx and exists: what the name resolves to; None where nothing is asked."""
    mx_hosts: int = 0
    registered: Answer[str] | None = None
    """Of include and redirect to a name that does not exist: whether its domain exists."""
    child: SpfNode | None = None


class SpfNode(Fact, frozen=True, kw_only=True):
    """One record of the tree. `via` is `root`, `include` or `redirect`."""

    domain: str
    own: bool = True
    """Whether the name is the domain's own, and not that of a service it includes."""
    via: str
    texts: Answer[tuple[str, ...]]
    """Every SPF record at the name."""
    record: Answer[SpfRecord]
    """The one record; Absent where there is none, or more than one."""
    strings: tuple[int, ...] = ()
    """Octets of each character-string of the record."""
    terms: tuple[SpfTermFacts, ...] = ()
    lookups: int = 0
    void_lookups: int = 0
    near: tuple[NearMiss, ...] = ()


class SpfEvaluation(Fact, frozen=True, kw_only=True):
    """check_host() for one address (RFC 7208 §4)."""

    ip: str
    sender: str
    helo: str
    required: bool = True
    """Whether the address is meant to pass."""
    result: str
    """none, neutral, pass, fail, softfail, temperror or permerror."""
    mechanism: str | None = None
    explanation: str | None = None
    problem: str | None = None
    """Of temperror and permerror: what stopped the evaluation."""
    lookups: int = 0
    void_lookups: int = 0


class SpfFacts(Fact, frozen=True, kw_only=True):
    """What a domain says of who may send in its name."""

    domain: str
    gone: bool = False
    """The domain does not exist: there is nothing to judge but the verdicts that were asked for."""
    texts: Answer[tuple[str, ...]]
    """Every SPF record at the domain."""
    record: Answer[SpfRecord]
    """The one record; Absent where there is none, or more than one."""
    strings: tuple[int, ...] = ()
    """Octets of each character-string of the one record."""
    near: tuple[NearMiss, ...] = ()
    type99: tuple[str, ...] = ()
    """Records of the abolished type SPF (RFC 7208 §3.1), asked for where there is no TXT record."""
    wildcard: bool = False
    tree: Answer[SpfNode]
    lookups: int = 0
    void_lookups: int = 0
    unknown: tuple[str, ...] = ()
    """Questions of the tree that nobody answered: the counts may be too low."""
    mail: Answer[bool]
    """Whether the domain has an MX or an address."""
    evaluations: tuple[SpfEvaluation, ...] = ()

    @property
    def exceeded(self) -> bool:
        """The tree is over the cap, and was not followed to its end."""
        return self.lookups > CAP


def nodes(node: SpfNode) -> tuple[SpfNode, ...]:
    """The node and all below it, in the order of evaluation."""
    below = (nodes(term.child) for term in node.terms if term.child)
    return (node, *(inner for branch in below for inner in branch))


def whole_tree(facts: SpfFacts) -> tuple[SpfNode, ...]:
    """Every record of the tree; empty where there is none."""
    return nodes(facts.tree.value) if isinstance(facts.tree, Found) else ()
