"""``python -m tests.golden.make`` rewrites the golden files: what every lander must send.

``commanded.json``: each run is flown from power on. An entry's ``tick`` is the number of calls of ``step`` before its
``cltu`` comes; ``calls`` is how many are made in all. ``sha256`` is that of all bytes sent, ``so_far`` the same after
some of the calls, so that the place where a lander departs is found.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from hil.verdict.oracle import expect, fly
from protocols.lander import MARS6
from tests.golden.scripts import RUNS, Entry

HERE = Path(__file__).parent
HISTORICAL = HERE / "historical.sha256"
COMMANDED = HERE / "commanded.json"
_SO_FAR_EVERY = 250


def flown(entries: list[Entry]) -> dict[str, Any]:
    """One run as it stands in the file."""
    digest, length, calls, so_far = hashlib.sha256(), 0, 0, {}
    for burst in fly(script=[(entry.tick, entry.data) for entry in entries], ready=True):
        digest.update(burst.data)
        length += len(burst.data)
        calls += 1
        if calls % _SO_FAR_EVERY == 0:
            so_far[str(calls)] = digest.hexdigest()
    uplink = [{"tick": entry.tick, "what": entry.what, "cltu": entry.data.hex()} for entry in entries]
    return {"calls": calls, "length": length, "sha256": digest.hexdigest(), "so_far": so_far, "uplink": uplink}


def commanded() -> str:
    """The text of ``commanded.json``."""
    runs = {name: flown(make()) for name, make in RUNS.items()}
    return json.dumps({"dictionary_hash": MARS6.hash_text, "runs": runs}, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write both files."""
    HISTORICAL.write_text(expect().sha256 + "\n", encoding="utf-8")
    COMMANDED.write_text(commanded(), encoding="utf-8")


if __name__ == "__main__":
    main()
