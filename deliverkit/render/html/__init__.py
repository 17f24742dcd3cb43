"""The report as one HTML page that needs nothing beside it."""

from deliverkit.render.html.page import render

__all__ = ["render"]
