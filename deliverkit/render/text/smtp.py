"""What each port of a host does, at a glance; the servers of a domain one beneath the other.

One row is one port of one host. Addresses of a host whose rows are equal share them. What could not be told, and why,
stands beneath; then what is offered, what became of the login, and the port to use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from deliverkit.model import shown
from deliverkit.render.text import smtp_cells as cells
from deliverkit.render.text.sheet import Sheet
from deliverkit.render.text.smtp_cells import FORMS, Form
from deliverkit.render.text.table import Row, fits, without_empty, write_table
from deliverkit.report.smtp import EndpointReport, SmtpReport

_MOST_HOSTS: Final = 40
_MOST_NAMED: Final = 12
_WIDEST_WHERE: Final = 20
_MOST_MECHANISMS: Final = 2
_LEAD: Final = 9
_LEADS: Final = ("*", "?", "TLS", "trust", "DANE", "MTA-STS", "login", "relay", "banner", "offers", "AUTH")
"""What is said beneath the matrix, in this order."""
_RELAY: Final = {
    "closed": "closed: the recipient outside was refused",
    "possible": "possible: RCPT for the recipient outside was accepted, which is no proof",
}
_TROUBLE: Final = re.compile(r"\A[a-z-]+: (?=.)")
_STYLES: Final = {"*": "magenta", "?": "magenta"}
_WHY: Final = 300

Group = tuple[EndpointReport, ...]
"""Endpoints of one host and port, one an address, that look the same."""
Table = tuple[Row, list[Row]]
"""A head, and rows of as many cells."""


def write(sheet: Sheet, known: SmtpReport) -> None:
    """The matrix, and what is to be said beneath it."""
    if known.endpoints:
        hosts = dict.fromkeys(endpoint.host for endpoint in known.endpoints)
        ports = {endpoint.port for endpoint in known.endpoints}
        if len(hosts) > 1 and len(ports) == 1:
            _write_hosts(sheet, known.endpoints, next(iter(ports)))
        else:
            _write_ports(sheet, known.endpoints)
        _write_notes(sheet, known.endpoints, by_host=len(hosts) > 1)
    for why in known.unknown[:_MOST_HOSTS]:
        sheet.prose(shown(why, _WHY), lead=("? ", "magenta"), indent=0, hang=2)
    if len(known.unknown) > _MOST_HOSTS:
        sheet.line((f"… and {len(known.unknown) - _MOST_HOSTS} more", "dim"), indent=2)
    for why in known.absent[:_MOST_HOSTS]:
        sheet.prose(shown(why, _WHY), indent=2, hang=4)
    if len(known.absent) > _MOST_HOSTS:
        sheet.line((f"… and {len(known.absent) - _MOST_HOSTS} more", "dim"), indent=2)
    if known.advice is not None:
        sheet.blank()
        sheet.prose(shown(known.advice), style="bold")


def _alike(endpoint: EndpointReport) -> tuple[object, ...]:
    """What a row shows of an endpoint, beside its times and its address."""
    form = FORMS[0]
    return (
        endpoint.port,
        *(draw(endpoint) for draw in (cells.state, _policies)),
        *(draw(endpoint, form) for draw in (cells.tls, cells.certificate, cells.auth)),
        endpoint.by_us,
        endpoint.auth.login,
        endpoint.relay,
    )


def _write_ports(sheet: Sheet, endpoints: Sequence[EndpointReport]) -> None:
    """A table a host; its addresses share one where they do the same."""
    tables: list[tuple[str, list[str], list[Group]]] = []
    for host in dict.fromkeys(endpoint.host for endpoint in endpoints):
        alike: dict[tuple[object, ...], dict[str, list[EndpointReport]]] = {}
        mine = [endpoint for endpoint in endpoints if endpoint.host == host]
        for address in dict.fromkeys(endpoint.address for endpoint in mine):
            rows = [endpoint for endpoint in mine if endpoint.address == address]
            alike.setdefault(tuple(map(_alike, rows)), {})[address] = rows
        for by_address in alike.values():
            named = [shown(address) for address in by_address if address != host]
            tables.append((f"[{host}]" if ":" in host else host, named, list(zip(*by_address.values(), strict=True))))
    form = next(form for form in FORMS if form is FORMS[-1] or all(_fits(sheet, form, groups) for *_, groups in tables))
    for host, named, groups in tables:
        sheet.blank()
        sheet.prose(", ".join(named), lead=(f"{shown(host)}{'  ' if named else ''}", "bold"), hang=2)
        _write(sheet, _port_table(form, groups))


def _port_table(form: Form, groups: Sequence[Group]) -> Table:
    return ("port", *_head(form)), [(str(group[0].port), *_row(group, form)) for group in groups]


def _fits(sheet: Sheet, form: Form, groups: Sequence[Group]) -> bool:
    head, rows, _ = _slim(_port_table(form, groups))
    return fits(sheet, head, rows)


def _write_hosts(sheet: Sheet, endpoints: Sequence[EndpointReport], port: int) -> None:
    """One table: a row a host, or an address where a host's differ."""
    alike: dict[tuple[object, ...], list[EndpointReport]] = {}
    for endpoint in endpoints:
        alike.setdefault((endpoint.host, *_alike(endpoint)), []).append(endpoint)
    hosts = list(dict.fromkeys(endpoint.host for endpoint in endpoints))
    groups = sorted((tuple(group) for group in alike.values()), key=lambda group: hosts.index(group[0].host))
    several = {group[0].host for group in groups if sum(other[0].host == group[0].host for other in groups) > 1}
    for form in FORMS:
        rows = [
            (shown(group[0].host, 64), _addresses(group, form, several=group[0].host in several), *_row(group, form))
            for group in groups
        ]
        table = ((f"port {port}", "address", *_head(form)), rows)
        slim = _slim(table)
        if fits(sheet, slim[0], slim[1]) or form is FORMS[-1]:
            sheet.blank()
            _write(sheet, table)
            return


def _addresses(group: Group, form: Form, *, several: bool) -> str:
    addresses = [shown(endpoint.address) for endpoint in group]
    few = form.addresses
    if few:
        return ", ".join(addresses[:few]) + (f" +{len(addresses) - few}" if few < len(addresses) else "")
    families = {"IPv6" if ":" in address else "IPv4" for address in addresses}
    return ("/".join(sorted(families)) if len(families) == 1 else addresses[0]) if several else ""


def _policies(endpoint: EndpointReport) -> tuple[tuple[str, str], ...]:
    return tuple(cells.policy(endpoint))


def _head(form: Form) -> tuple[str, ...]:
    return "state", "TLS", "certificate", form.auth, form.trip


def _row(group: Group, form: Form) -> Row:
    first = group[0]
    times = [endpoint.timings_ms["connect"] for endpoint in group if "connect" in endpoint.timings_ms]
    return (
        cells.state(first),
        cells.tls(first, form),
        cells.certificate(first, form),
        cells.auth(first, form),
        cells.trip(times),
    )


def _slim(table: Table) -> tuple[Row, list[Row], tuple[int, ...]]:
    """Without columns that tell nothing: certificates where no port has TLS, AUTH where none has any."""
    return without_empty(*table, nothing=("", cells.NONE))


def _write(sheet: Sheet, table: Table) -> None:
    head, rows, kept = _slim(table)
    last = len(table[0]) - 1
    write_table(sheet, head, rows, right=frozenset({kept.index(last)} if last in kept else ()))


def _write_notes(sheet: Sheet, endpoints: Sequence[EndpointReport], *, by_host: bool) -> None:
    """One line for each thing to be said, with the ports or hosts that it is said of."""
    notes: dict[tuple[str, str], dict[str, None]] = {}
    names = dict.fromkeys(_named(endpoint, by_host=by_host) for endpoint in endpoints)
    for endpoint in endpoints:
        for lead, text in _notes(endpoint, briefly=by_host):
            notes.setdefault((lead, text), {})[_named(endpoint, by_host=by_host)] = None
    if not notes:
        return
    sheet.blank()
    told = [
        (lead, "all" if by_host and len(names) > 1 and len(some) == len(names) else _listed(some, _MOST_NAMED), text)
        for (lead, text), some in sorted(notes.items(), key=lambda item: _LEADS.index(item[0][0]))
    ]
    wide = max((len(where) for _, where, _ in told if len(where) <= _WIDEST_WHERE), default=0)
    for lead, where, text in told:
        style = _STYLES.get(lead, "dim")
        if len(where) > wide:
            sheet.prose(f"{where}: {text}", lead=(lead.ljust(_LEAD), style), hang=_LEAD)
        else:
            sheet.prose(text, lead=(f"{lead.ljust(_LEAD)}{where.ljust(wide)}  ", style), hang=_LEAD + wide + 2)


def _named(endpoint: EndpointReport, *, by_host: bool) -> str:
    return shown(endpoint.host, 64) if by_host else str(endpoint.port)


def _listed(names: Iterable[str], most: int) -> str:
    names = list(names)
    return ", ".join(names[:most]) + (f" +{len(names) - most}" if len(names) > most else "")


def _notes(endpoint: EndpointReport, *, briefly: bool) -> Iterator[tuple[str, str]]:
    yield from _troubles(endpoint)
    yield from cells.policy(endpoint)
    yield from _login(endpoint)
    if endpoint.relay in _RELAY:
        yield "relay", _RELAY[endpoint.relay]
    if briefly:
        return
    if endpoint.banner is not None:
        first, _, rest = endpoint.banner.partition("\n")
        yield "banner", shown(first, 160) + (f" … (+{rest.count(chr(10)) + 1} lines)" if rest else "")
    yield from _offers(endpoint)
    for mechanisms, where in ((endpoint.auth.before_tls, "in clear"), (endpoint.auth.after_tls, "in TLS")):
        if len(mechanisms) > _MOST_MECHANISMS:
            yield "AUTH", f"{where}: {' '.join(shown(name, 40) for name in mechanisms)}"


def _troubles(endpoint: EndpointReport) -> Iterator[tuple[str, str]]:
    """What went wrong, whose doing it is, and what could therefore not be told."""
    if endpoint.by_us is not None:
        yield "*", f"this may be our network, not the server: {shown(endpoint.by_us, _WHY)}"
    if endpoint.state not in ("open", "refused"):
        yield "?", shown(endpoint.why or "why is not known", _WHY)
    elif endpoint.tls_error is not None:
        yield "TLS", f"failed: {shown(endpoint.tls_error, _WHY)}"
    elif endpoint.state == "open" and endpoint.phase is not None:
        yield "?", f"broke off at {shown(endpoint.phase)}: {shown(_broken(endpoint), _WHY)}"
    drawn = str(cells.certificate(endpoint, FORMS[0]))
    if (
        endpoint.tls is not None
        and endpoint.tls.trust_error
        and endpoint.tls.dane != "match"
        and shown(endpoint.tls.trust_error) not in drawn
    ):
        yield "trust", shown(endpoint.tls.trust_error, _WHY)


def _broken(endpoint: EndpointReport) -> str:
    notes = [line.text for line in endpoint.transcript if line.direction == "note"]
    last = notes[-1] if notes else "why is not known"
    return endpoint.why or _TROUBLE.sub("", last, count=1)  # the kind of trouble says less than its words


def _offers(endpoint: EndpointReport) -> Iterator[tuple[str, str]]:
    """What is offered, AUTH aside, and how TLS changes it."""
    before, after = endpoint.ehlo.before_tls, endpoint.ehlo.after_tls
    offered = after or before
    if not offered:
        if endpoint.esmtp is False:
            yield "offers", "nothing: EHLO was refused, HELO accepted"
        return
    told = [shown(line, 80) for line in offered if not _is_auth(line)]
    lost = [shown(line, 80) for line in before if line not in after and not _is_auth(line)] if after else []
    lost = [line for line in lost if line.upper() != "STARTTLS"]
    gained = {line for line in told if line not in map(shown, before)} if before else set()
    words = ", ".join(f"{line} (in TLS only)" if line in gained else line for line in told[:30])
    more = f" and {len(told) - 30} more" if len(told) > 30 else ""  # noqa: PLR2004 - as above
    yield (
        "offers",
        f"{words or 'nothing but AUTH'}{more}" + (f"; in clear only: {', '.join(lost[:30])}" if lost else ""),
    )


def _is_auth(line: str) -> bool:
    return line.upper().startswith(("AUTH ", "AUTH="))


def _login(endpoint: EndpointReport) -> Iterator[tuple[str, str]]:
    login = endpoint.auth
    by = f" by {shown(login.mechanism, 40)}" if login.mechanism else ""
    if login.login == "accepted":
        yield "login", f"accepted{by}" + (f"; {shown(login.why, _WHY)}" if login.why else "")
    elif login.login == "refused":
        said = login.why or _answer(endpoint)
        yield "login", f"refused{by}" + (f": {shown(said, _WHY)}" if said else "")
    elif login.login == "failed":
        yield "login", f"failed{by}: {shown(login.why or _broken(endpoint), _WHY)}"
    elif login.why:
        yield "login", f"not tried: {shown(login.why, _WHY)}"


def _answer(endpoint: EndpointReport) -> str:
    """The server's last word on AUTH, from the transcript."""
    found = ""
    asked = False
    for line in endpoint.transcript:
        if line.direction == "client":
            asked = (
                line.text.upper().startswith("AUTH ") or line.text in ("<redacted>", "*") or (asked and not line.text)
            )
        elif line.direction == "server" and asked:
            found = line.text
    return found
