"""Markdown, for pasting into a ticket: a peer's words stand in code, where they can make nothing."""

from deliverkit.render.markdown.delivery import render as render_delivery

__all__ = ["render_delivery"]
