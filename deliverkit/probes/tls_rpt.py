"""Probes area `tls-rpt`: the TXT record at `_smtp._tls`."""

from __future__ import annotations

import asyncio

from deliverkit.evidence.recorder import Recorder
from deliverkit.facts.tls_rpt import TlsRptFacts
from deliverkit.model import Found, Inputs
from deliverkit.probes.mta_sts_mail import mail_hosts, texts_of
from deliverkit.records.tls_rpt import is_tls_rpt, parse_tls_rpt


async def probe(inputs: Inputs, port: Recorder) -> TlsRptFacts:
    """Gather the area's facts of one domain."""
    domain = inputs.domain
    txt, hosts = await asyncio.gather(port.lookup(f"_smtp._tls.{domain}", "TXT"), mail_hosts(domain, port))
    texts = texts_of(txt)
    found = texts.value if isinstance(texts, Found) else ()
    return TlsRptFacts(
        domain=domain,
        hosts=hosts,
        texts=texts,
        records=tuple(parse_tls_rpt(text) for text in found if is_tls_rpt(text)),
    )
