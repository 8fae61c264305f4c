"""A campaign as it comes: a line for what is to be flown, then one for each run that ended. One that is killed has told
of all that it flew."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import msgspec

from groundstation.formats.json_encoding import encode_json
from hil.runs.campaign import Case, Head, Summary, summarise
from protocols.units import NS_PER_S

CAMPAIGN_LOG = "campaign.jsonl"


class CampaignLog:
    """Writes it. A context manager."""

    def __init__(self, path: Path, head: Head) -> None:
        """Begin.

        Raises:
            OSError: it cannot be written.
        """
        self._lines = path.open("wb", buffering=0)
        self._lines.write(encode_json(head) + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()

    def write(self, case: Case) -> None:
        """A run has ended."""
        self._lines.write(encode_json(case) + b"\n")


def read_campaign(path: Path) -> Summary | None:
    """The campaign of a log, as far as it goes; None if there is none, or nothing of it.

    The last line of one that was killed may be half of one. It lasted until its last line.
    """
    if not path.exists():
        return None
    lines = path.read_bytes().splitlines()
    try:
        head = msgspec.json.decode(lines[0] if lines else b"", type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    cases: dict[int, Case] = {}
    for line in lines[1:]:
        try:
            case = msgspec.json.decode(line, type=Case)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        cases[case.number] = case
    return summarise(head, cases.values(), max(0.0, (path.stat().st_mtime_ns - head.began) / NS_PER_S))
