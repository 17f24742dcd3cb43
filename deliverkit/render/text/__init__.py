"""Text for people: the verdict first, then what hurts most, the fix, what could not be told, what next."""

from deliverkit.render.text.page import render
from deliverkit.render.text.sheet import Look

__all__ = ["Look", "render"]
