from __future__ import annotations

import os
import socket

import pytest


@pytest.mark.parametrize("address", ["192.0.2.1", "8.8.8.8", "dns.example"])
def test_nothing_connects_beyond_loopback(address: str) -> None:
    with socket.socket() as stream, pytest.raises(OSError, match="never reach beyond loopback"):
        stream.connect((address, 53))


def test_nothing_is_sent_beyond_loopback() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as datagram:
        with pytest.raises(OSError, match="never reach beyond loopback"):
            datagram.sendto(b"x", ("192.0.2.1", 53))
        with pytest.raises(OSError, match="never reach beyond loopback"):
            datagram.sendmsg([b"x"], [], 0, ("192.0.2.1", 53))


def test_loopback_is_reached() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as here, socket.socket(type=socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        here.sendto(b"x", there.getsockname())
        assert there.recv(8) == b"x"


def test_the_environment_is_the_same_everywhere() -> None:
    assert os.environ["COLUMNS"] == "80"
    assert "NO_COLOR" not in os.environ
    assert not [name for name in os.environ if name.startswith("DELIVERKIT_")]
