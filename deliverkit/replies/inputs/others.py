"""Log lines of OpenSMTPD and qmail."""

from __future__ import annotations

import re
from typing import Final

from deliverkit.replies.inputs.item import Item, Kind, Outcome

_RESULT: Final = re.compile(r'\bresult="?(Ok|TempFail|PermFail|Deferred)"? stat="([^"]{1,4000})')
_TO: Final = re.compile(r"(?<![a-z])to=<([^>]{0,320})>")
_RELAY: Final = re.compile(r'\brelay="?([0-9A-Fa-f.:]{2,45}) \(([^)\s]{1,255})\)')
_QMAIL: Final = re.compile(r"\bdelivery (\d{1,12}): (success|failure|deferral): (\S{1,4000})")
_SAID: Final = re.compile(r"(?:Remote_host_said:|said:)_([2-5]\d\d.*?)(?:/Giving_up_on_\S*|/)?\Z", re.ASCII)
_IP: Final = re.compile(r"(?:\A|_|/)([0-9]{1,3}(?:\.[0-9]{1,3}){3})(?=_)", re.ASCII)
_RESULTS: Final = {"Ok": Outcome.DELIVERED, "PermFail": Outcome.BOUNCED}
_DELIVERIES: Final = {"success": Outcome.DELIVERED, "failure": Outcome.BOUNCED, "deferral": Outcome.DEFERRED}
_CLASS: Final = {"success": "2.0.0", "failure": "5.0.0", "deferral": "4.0.0"}


def read(rest: str, given: str, line: int, time: str | None) -> Item | None:
    """A line of OpenSMTPD's or qmail's; None for any other."""
    if "result=" in rest:
        match = _RESULT.search(rest)
        if match is not None:
            to, relay = _TO.search(rest), _RELAY.search(rest)
            return Item(
                text=match[2],
                given=given,
                line=line,
                kind=Kind.OPENSMTPD,
                host=relay[2] if relay else None,
                peer=relay[1] if relay else None,
                recipient=to[1] if to else None,
                time=time,
                outcome=_RESULTS.get(match[1], Outcome.DEFERRED),
            )
    if "delivery " in rest:
        match = _QMAIL.search(rest)
        if match is not None:
            said = _SAID.search(match[3])
            text = (said[1] if said else f"{_CLASS[match[2]]} {match[3]}").replace("_", " ").strip()
            address = _IP.search(match[3])
            return Item(
                text=text,
                given=given,
                line=line,
                kind=Kind.QMAIL,
                peer=address[1] if address else None,
                time=time,
                outcome=_DELIVERIES[match[2]],
            )
    return None
