"""The embedded world: name, mail and web servers on loopback that serve `.world` text, and worlds that come with it."""

from deliverkit.lab.builtin import names, world, worlds_text
from deliverkit.lab.house import LOOPBACK
from deliverkit.lab.server import Serving, serving

__all__ = ["LOOPBACK", "Serving", "names", "serving", "world", "worlds_text"]
