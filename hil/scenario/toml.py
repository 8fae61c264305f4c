"""Scenarios written as TOML: one level of tables and arrays of tables, nothing more."""

from __future__ import annotations

import json
from typing import Any


def to_toml(tables: dict[str, Any]) -> str:
    """Tables of a scenario as TOML: one level of tables and arrays of tables, nothing more."""
    lines = [f"{name} = []" for name, table in tables.items() if table == []]
    for name, table in tables.items():
        for entry in table if isinstance(table, list) else [table]:
            lines.append(f"[[{name}]]" if isinstance(table, list) else f"[{name}]")
            lines += [f"{key} = {_toml_value(value)}" for key, value in entry.items()]
            lines.append("")
    return "\n".join(lines)


def _toml_value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml_value(each) for each in value) + "]"
    if isinstance(value, (str, bool)):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)
