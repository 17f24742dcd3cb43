"""What our own options leave out is no fault of the host's."""

from __future__ import annotations

import asyncio

import pytest

from deliverkit.evidence.recorder import Recorder
from deliverkit.model import Absent, Inputs, Sessions, Unknown
from deliverkit.probes.smtp_where import places
from deliverkit.world import World

WORLD = "mail.example.com.  A  192.0.2.25\nempty.example.com.  TXT  none\n"


def addresses(host: str, **chosen: object) -> object:
    world = World(WORLD)
    inputs = Inputs(domain=host, **chosen)
    return asyncio.run(places(inputs, Sessions(ports=(25,)), host, Recorder(world, world, world))).addresses


@pytest.mark.parametrize("host", ["mail.example.com"])
def test_a_family_that_was_left_out_leaves_the_host_unknown(host: str):
    found = addresses(host, ipv4=False)
    assert isinstance(found, Unknown)
    assert "IPv4 is left out" in found.why


def test_no_address_of_either_family_is_absence():
    assert isinstance(addresses("empty.example.com", ipv4=False), Absent)
    assert isinstance(addresses("gone.example.com", ipv6=False), Absent)
