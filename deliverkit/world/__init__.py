"""A small internet written as text: zone data, HTTPS hosts and SMTP servers, held in memory.

The examples in the rules' pages are such worlds, and so are those that the lab serves on loopback. Both are
answered by the same code: what an example shows is what a socket would have shown.
"""

from deliverkit.world.section import HttpsSection, SmtpSection, WorldError
from deliverkit.world.text import WorldText, endpoint, read_world
from deliverkit.world.world import FAULTS, NOW, PASSWORD, SERVER, World

__all__ = [
    "FAULTS",
    "NOW",
    "PASSWORD",
    "SERVER",
    "HttpsSection",
    "SmtpSection",
    "World",
    "WorldError",
    "WorldText",
    "endpoint",
    "read_world",
]
