"""Probes area `tls-rpt`: the TXT record at `_smtp._tls`."""

from __future__ import annotations

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.tls_rpt import TlsRptFacts
from deliverkit.model import Absent, Inputs


async def probe(inputs: Inputs, port: Recorder) -> TlsRptFacts:
    """Gather the area's facts of one domain."""
    await port.lookup(f"_smtp._tls.{inputs.domain}", "TXT")
    return TlsRptFacts(domain=inputs.domain, records=Absent("no record"))
