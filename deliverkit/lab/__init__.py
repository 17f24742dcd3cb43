"""The embedded world: a name server on loopback that serves `.world` text, and worlds that come with it."""

from deliverkit.lab.builtin import names, world, worlds_text
from deliverkit.lab.server import LOOPBACK, Serving, serving

__all__ = ["LOOPBACK", "Serving", "names", "serving", "world", "worlds_text"]
