"""`deliverkit smtp`."""

from __future__ import annotations

from deliverkit.cli.declare import application
from deliverkit.cli.launch import Launch
from deliverkit.cli.options import Asking, Judging, Showing
from deliverkit.cli.session_options import Dialling, Hosts, Login, RunningSessions
from deliverkit.cli.sessions import requested
from deliverkit.runs.options import MX_AREAS, SESSION_AREAS


def smtp(
    *,
    hosts: Hosts,
    dialling: Dialling,
    login: Login,
    judging: Judging,
    asking: Asking,
    running: RunningSessions,
    showing: Showing,
) -> int:
    """Open SMTP sessions: TLS, what is offered and allowed, a login, and which port to use."""
    return Launch(
        command="smtp",
        areas=MX_AREAS if hosts.mx or running.evidence is not None else SESSION_AREAS,
        asking=asking,
        running=running,
        judging=judging,
        showing=showing,
        sessions=lambda: requested(hosts, dialling, login, asking, again=running.evidence is not None),
    ).run(hosts.hosts)


app = application(smtp, name="smtp")
