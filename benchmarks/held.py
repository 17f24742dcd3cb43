"""How much memory a connection holds: `python -m benchmarks.held PORT COUNT ANCHOR` holds that many at a time.

Each goes through STARTTLS and EHLO against 127.0.0.1:PORT. Prints the most the process held, in KiB, and how many
sessions got that far.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from pathlib import Path

from deliverkit.model import Call
from deliverkit.smtp.live import Limits, Live
from deliverkit.tls.verify import Anchors


async def hold(port: int, count: int, anchor: Path) -> None:
    """All side by side; each has limits of its own, as hosts apart have."""
    anchors = Anchors(anchor, system=False)
    deadline = time.monotonic() + 60

    async def one() -> bool:
        live = Live(anchors, deadline=deadline, words="within 60 s", limits=Limits())
        call = Call(host="127.0.0.1", address="127.0.0.1", port=25, dial_port=port, helo="client.example.com")
        session = await live.session(call)
        return session.handshake is not None and session.handshake.ok

    made = await asyncio.gather(*(one() for _ in range(count)))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, sum(made))


if __name__ == "__main__":
    asyncio.run(hold(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
