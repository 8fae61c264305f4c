"""report.json: the results themselves, with the version of their form."""

from __future__ import annotations

import msgspec

from groundstation.formats.json_encoding import encode_json, numbered
from hil.report.contents import SCHEMA, Report
from hil.verdict.result import upgraded


def render(report: Report) -> str:
    """The text of the file."""
    return encode_json(report, times=True).decode() + "\n"


def read(text: str | bytes) -> Report:
    """What `render` wrote, in this form or in an older one.

    Raises:
        msgspec.DecodeError: it is not such a report, or of another form.
    """
    fields = numbered(msgspec.json.decode(text))
    if isinstance(fields, dict) and fields.get("schema") in (1, 2) and isinstance(fields.get("results"), list):
        fields |= {"schema": SCHEMA, "results": list(map(upgraded, fields["results"]))}
    report = msgspec.convert(fields, Report)
    if report.schema != SCHEMA:
        raise msgspec.ValidationError(f"a report of form {report.schema}; this program reads form {SCHEMA}")
    return report
