"""The root of the tree: one domain, or one host that was dialled."""

from __future__ import annotations

from deliverkit.facts.dane import DaneFacts
from deliverkit.facts.delivery import DeliveryFacts
from deliverkit.facts.dkim import DkimFacts
from deliverkit.facts.dmarc import DmarcFacts
from deliverkit.facts.dns import DnsFacts
from deliverkit.facts.dnssec import DnssecFacts
from deliverkit.facts.mta_sts import MtaStsFacts
from deliverkit.facts.mx import MxFacts
from deliverkit.facts.second_opinion import SecondOpinionFacts
from deliverkit.facts.smtp import SmtpFacts
from deliverkit.facts.spf import SpfFacts
from deliverkit.facts.tls_rpt import TlsRptFacts
from deliverkit.facts.tree import Fact
from deliverkit.facts.zone import ZoneFacts
from deliverkit.model import Absent, Answer, Inputs


class DomainFacts(Fact, frozen=True, kw_only=True):
    """What is known of one domain or host.

    An area that was not asked for is `Absent`, and so is every area of a domain that does not exist:
    its rules are then not applicable.
    """

    inputs: Inputs
    now: float
    """When the evidence was gathered: seconds since the epoch, UTC."""
    existence: Answer[str]
    """Found: the domain exists. Absent: NXDOMAIN. Unknown: no server would tell."""
    to_serve: Answer[str] | None = None
    """As `existence`, of the domain whose MX the host is to become; None: of none."""
    dns: Answer[DnsFacts]
    mx: Answer[MxFacts]
    spf: Answer[SpfFacts]
    dkim: Answer[DkimFacts]
    dmarc: Answer[DmarcFacts]
    mta_sts: Answer[MtaStsFacts] = Absent("not asked for")
    tls_rpt: Answer[TlsRptFacts] = Absent("not asked for")
    dane: Answer[DaneFacts] = Absent("not asked for")
    dnssec: Answer[DnssecFacts] = Absent("not asked for")
    smtp: Answer[SmtpFacts] = Absent("not asked for")
    delivery: Answer[DeliveryFacts] = Absent("not asked for")
    second_opinion: Answer[SecondOpinionFacts] = Absent("not asked for")
    zone: Answer[ZoneFacts] = Absent("no file was read")
