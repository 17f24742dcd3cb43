"""`deliverkit doctor`."""

from __future__ import annotations

import asyncio
from typing import Annotated

from typer import Option

from deliverkit.cli import terminal
from deliverkit.cli.declare import application
from deliverkit.cli.errors import UsageError
from deliverkit.cli.launch import dns_options
from deliverkit.cli.options import Asking, Painting
from deliverkit.cli.outputs import known_format
from deliverkit.model import shown
from deliverkit.render import json
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.render.text.words import seconds
from deliverkit.runs import doctor as runs
from deliverkit.runs.options import RunError

_TIMEOUT = 10.0


def doctor(
    *,
    timeout: Annotated[float, Option("--timeout", metavar="SECONDS", help="For each resolver.")] = _TIMEOUT,
    asking: Asking,
    painting: Painting,
) -> int:
    """Test this machine's resolver."""
    form = known_format(painting.format)
    if timeout <= 0:
        raise UsageError(f"--timeout {timeout:g}: expected seconds, more than 0")
    try:
        health = asyncio.run(runs.examine(dns_options(asking), timeout))
    except RunError as error:
        raise UsageError(str(error)) from error
    terminal.write(json.render(health) if form == "json" else _page(health, terminal.look(painting.color.value)))
    return health.exit_code


def _page(health: runs.Health, look: Look) -> str:
    sheet = Sheet(look)
    for resolver in health.resolvers:
        _resolver(sheet, resolver)
    sheet.blank()
    routes = (("IPv4", health.ipv4_route), ("IPv6", health.ipv6_route))
    for name, there in routes:
        _row(sheet, name, there, "this machine has a route" if there else "this machine has no route")
    sheet.line("Outbound port 25 is not tested.", indent=2)
    sheet.blank()
    sheet.line(f"deliverkit {health.version}, Python {health.python}", indent=2)
    sheet.prose(", ".join(f"{name} {version}" for name, version in health.libraries.items()), indent=2, style="dim")
    return sheet.render()


def _resolver(sheet: Sheet, resolver: runs.ResolverHealth) -> None:
    sheet.blank()
    sheet.line(("resolver ", "bold"), (resolver.address, "bold"))
    if not resolver.answers:
        _row(sheet, "answers", ok=False, words=shown(resolver.problem or "nothing came"))
        return
    _row(sheet, "answers", ok=True, words=f"in {seconds(resolver.elapsed_ms)}")
    _row(
        sheet,
        "validates",
        resolver.validating,
        "DNSSEC is checked there" if resolver.validating else "no: what needs DNSSEC stays undetermined",
    )
    _row(sheet, "EDNS", resolver.edns, "understood" if resolver.edns else "refused: large answers come over TCP")
    _row(
        sheet,
        "large",
        resolver.large_answers,
        "answers over 512 octets arrive" if resolver.large_answers else "answers over 512 octets do not arrive",
    )


def _row(sheet: Sheet, name: str, ok: bool | None, words: str) -> None:
    symbol = ("✓", "bold green") if ok else ("!", "bold yellow")
    sheet.line(symbol, f" {name.ljust(10)} ", words, indent=2)


app = application(doctor, name="doctor")
