"""Markdown, for a ticket or a chat: a peer's words stand in code, where they can make nothing."""

from deliverkit.render.markdown.reply import code, replies, summary

__all__ = ["code", "replies", "summary"]
