"""Which port an application should use, in one sentence, and why not another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deliverkit.facts.smtp import Endpoint
from deliverkit.facts.tls import TlsFacts
from deliverkit.model import Absent, Found
from deliverkit.model.display import SHOWN, clipped

_PREFERRED: Final = (465, 587, 2525)
_CURRENT: Final = ("TLSv1.2", "TLSv1.3")


def advice(endpoints: Sequence[Endpoint]) -> str | None:
    """The sentence; None where there is nothing to choose from.

    Implicit TLS comes before STARTTLS (RFC 8314 §3), both inside a certificate that clients accept.
    """
    judged: dict[int, list[str | None]] = {}
    for endpoint in endpoints:
        if endpoint.role == "submission" and endpoint.state == "open" and not _untried(endpoint):
            judged.setdefault(endpoint.port, []).append(_against(endpoint))
    if not judged:
        return None
    ports = sorted(judged, key=_rank)
    faults = {port: next((why for why in judged[port] if why is not None), None) for port in ports}
    sound = [port for port in ports if faults[port] is None]
    if not sound:
        return f"No port is fit for an application yet: {'; '.join(f'{port} {faults[port]}' for port in ports)}."
    best = sound[0]
    chosen = next(endpoint for endpoint in endpoints if endpoint.port == best and endpoint.state == "open")
    words = f"Use {best} with {'TLS at once' if chosen.starttls == 'implicit' else 'STARTTLS'} for your application"
    worse = [f"{port} {faults[port]}" for port in ports if _rank(port) < _rank(best) and faults[port] is not None]
    return f"{words}; {'; '.join(worse)}." if worse else f"{words}."


def _untried(endpoint: Endpoint) -> bool:
    """TLS is offered, and was left out because the user said so."""
    return endpoint.starttls == "offered" and isinstance(endpoint.tls, Absent)


def _rank(port: int) -> tuple[int, int]:
    return (_PREFERRED.index(port) if port in _PREFERRED else len(_PREFERRED), port)


def _against(endpoint: Endpoint) -> str | None:
    """Why an application should not use it, as the rest of a sentence; None where nothing speaks against it."""
    if isinstance(endpoint.banner, Found) and not endpoint.banner.value.ok:
        return f"refuses service ({clipped(endpoint.banner.value.shown, SHOWN)})"
    if endpoint.tls_error is not None and not isinstance(endpoint.tls, Found):
        return f"fails at TLS ({endpoint.tls_error})"
    if not isinstance(endpoint.tls, Found):
        return "offers no TLS" if isinstance(endpoint.tls, Absent) else "did not get as far as TLS"
    return _against_tls(endpoint.tls.value) or _against_auth(endpoint)


def _against_tls(tls: TlsFacts) -> str | None:
    if tls.version not in _CURRENT:
        return f"speaks {tls.version}, which clients refuse"
    if not tls.trusted:
        return f"presents a certificate that clients do not trust ({tls.trust_error})"
    if not tls.name_matches:
        names = tls.leaf.names if tls.leaf is not None else ()
        return (
            f"presents a certificate for another name ({clipped(names[0], SHOWN)})"
            if names
            else ("presents a certificate that bears no name")
        )
    return None


def _against_auth(endpoint: Endpoint) -> str | None:
    if isinstance(endpoint.login, Found) and endpoint.login.value.outcome == "refused":
        return "refused the login"
    if not isinstance(endpoint.after, Found):
        return "broke off inside TLS"
    return None if endpoint.after.value.auth else "offers no AUTH inside TLS"
