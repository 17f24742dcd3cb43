from __future__ import annotations

import asyncio
import time

import pytest
from postfix import MECHANISMS, NAME, PASSWORD, USER, Mail, token

from deliverkit.model import Call, Session
from deliverkit.smtp.live import Live
from deliverkit.smtp.secret import Secret
from deliverkit.tls.verify import Anchors

pytestmark = pytest.mark.real


def session(mail: Mail, label: str, port: int, secret: str | None = None, address: str = "127.0.0.1", **rest: object) -> Session:
    async def run() -> Session:
        live = Live(
            Anchors(mail.anchor, system=False), deadline=time.monotonic() + 30, words="within 30 s",
            secret=Secret(secret) if secret else None,
        )  # fmt: skip
        call = Call(host=NAME, address=address, port=port, dial_port=mail.ports[label], helo="client.example.com", **rest)
        return await live.session(call)

    return asyncio.run(run())


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("good", [True, False], ids=["accepted", "refused"])
def test_login(post: Mail, mechanism: str, good: bool) -> None:
    if mechanism in ("XOAUTH2", "OAUTHBEARER"):
        secret = token() if good else token(key=b"another key")
    else:
        secret = PASSWORD if good else "wrong"
    made = session(post, "submission", 587, secret, user=USER, mechanism=mechanism)
    assert made.remarks["login"] == ("accepted" if good else "refused"), made

