"""report.json: the results themselves, with the version of their form."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from groundstation.json_encoding import encode_json, numbered
from hil.result import RunResult, upgraded

SCHEMA = 2
"""Counts up when a field changes its meaning or goes; new fields do not count. In 1 a result had no `verdict`."""


class Report(msgspec.Struct, frozen=True, kw_only=True, tag="report", tag_field="type"):
    """All runs of one report. ``generated`` is the UTC at which it was made."""

    schema: int = SCHEMA
    generated: str
    results: list[RunResult]


def render(results: Sequence[RunResult], generated: str) -> str:
    """The text of the file."""
    return encode_json(Report(generated=generated, results=list(results)), times=True).decode() + "\n"


def read(text: str | bytes) -> Report:
    """What `render` wrote, in this form or in the one before.

    Raises:
        msgspec.DecodeError: it is not such a report, or of another form.
    """
    fields = numbered(msgspec.json.decode(text))
    if isinstance(fields, dict) and fields.get("schema") == 1 and isinstance(fields.get("results"), list):
        fields |= {"schema": SCHEMA, "results": list(map(upgraded, fields["results"]))}
    report = msgspec.convert(fields, Report)
    if report.schema != SCHEMA:
        raise msgspec.ValidationError(f"a report of form {report.schema}; this program reads form {SCHEMA}")
    return report
