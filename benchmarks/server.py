"""The lab as a process of its own: `python -m benchmarks.server WORLD LATENCY_MS`.

Says on stdout in a line of JSON where it is: its `port`, `connect_to`, `ca`; a line on stdin
makes it say how often each question came, and count anew.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from deliverkit.lab import serving


async def serve(world: str, latency: float) -> None:
    """Until stdin ends."""
    async with serving(world, latency=latency) as lab:
        where = {"port": lab.port, "connect_to": lab.connect_to, "ca": lab.ca.decode()}
        print(json.dumps(where), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps([[name, rdtype, count] for (name, rdtype), count in lab.asked.items()]), flush=True)
            lab.asked.clear()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).read_text("utf-8"), float(sys.argv[2]) / 1000))
