"""A mail server of the lab: a world's `Peer` on a connection."""

from __future__ import annotations

import asyncio
import time

from deliverkit.lab.channel import Channel
from deliverkit.lab.contexts import server_context
from deliverkit.world.certificate import certificate
from deliverkit.world.mailbox import SLOW, Mailroom
from deliverkit.world.peer import NOT_TLS, Output, Peer, Then
from deliverkit.world.section import SmtpSection


class MailServer:
    """Talks as one section of a world has it. Certificates are those of a world whose time is `now`."""

    def __init__(self, section: SmtpSection, room: Mailroom, now: float) -> None:
        self._section = section
        self._room = room
        self._context = server_context(section, lambda wish: certificate(wish, now), now)
        self._leaf = certificate(section.certificate, now).leaf

    async def __call__(self, channel: Channel) -> None:
        """One connection, to its end."""
        match self._section.faults.get("CONNECT"):
            case None:
                await self._session(channel)
            case "timeout":
                await channel.silence()
            case _:
                channel.reset()

    async def _session(self, channel: Channel) -> None:
        implicit = self._section.mode == "implicit"
        if implicit and not await self._secure(channel):
            return
        peer = Peer(self._section, tls=implicit, leaf=lambda: self._leaf, clock=time.time, room=self._room)
        output = peer.greet()
        while True:
            then = await _put_out(channel, output)
            if then is Then.TLS:
                if not await self._secure(channel):
                    return
                peer.secured()
            elif then is not None:
                return
            octets = await channel.read()
            if not octets:
                return
            output = peer.feed(octets)

    async def _secure(self, channel: Channel) -> bool:
        """Goes over to TLS, or fails as the world's text has it; whether there is TLS now."""
        match self._section.faults.get("TLS"):
            case None:
                await channel.handshake(self._context)
                return True
            case "timeout":
                await channel.silence()
            case "reset":
                channel.reset()
            case "garbage":
                await channel.raw(NOT_TLS)
        return False


async def _put_out(channel: Channel, output: Output) -> Then | None:
    """Does what a peer says; what then remains for the connection."""
    for part in output:
        match part:
            case bytes():
                await channel.write(part)
            case Then.WAIT:
                await asyncio.sleep(SLOW)
            case Then.SILENT:
                await channel.silence()
                return part
            case Then.RESET:
                channel.reset()
                return part
            case Then.TLS | Then.CLOSE:
                return part
    return None
