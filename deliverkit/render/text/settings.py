"""`config show` as text: a line a value, and where it comes from."""

from __future__ import annotations

import datetime as dt

from deliverkit.config.shown import Setting, Settings, Value
from deliverkit.model import shown
from deliverkit.render.text.sheet import Look, Sheet
from deliverkit.render.text.table import Row, write_table

_MOST = 200
"""Characters of one value."""


def render(settings: Settings, look: Look) -> str:
    """The table."""
    sheet = Sheet(look)
    sheet.line((settings.config or "no configuration file", "bold"))
    sheet.blank()
    write_table(
        sheet, ("value", "set to", "by"), [_row(setting) for setting in settings.settings], indent=2, right=frozenset()
    )
    return sheet.render()


def _row(setting: Setting) -> Row:
    style = "dim" if setting.source == "default" else ""
    value = shown(_words(setting.value), _MOST)
    return setting.key, (f"{value} ({setting.note})" if setting.note else value, style), (setting.origin, style)


def _words(value: Value) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} = {item}" for key, item in value.items()) or "none"
    return value.isoformat() if isinstance(value, dt.date) else str(value)
