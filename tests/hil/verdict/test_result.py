"""A result that others wrote: numbers within limits, or refused with the place; a report never fails on one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from groundstation.formats.json_encoding import encode_json
from hil.errors import ScenarioError
from hil.report.gathered import gather
from hil.runs.run import read_bundle
from hil.verdict.result import decode_result
from tests.hil.report.runs import quiet

Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda r: r.update(interarrival_ms=[1e308]), r"\$\.interarrival_ms\[0\]"),
        (lambda r: r.update(interarrival_ms=["NaN"]), r"\$\.interarrival_ms\[0\]"),
        (lambda r: r.update(samples=[[0, "Infinity", 0.0]]), r"\$\.samples\[0\]\[1\]"),
        (lambda r: r.update(took_s=1e308), r"\$\.took_s"),
        (lambda r: r.update(start=2**63), r"\$\.start"),
        (lambda r: r["verdict"].update(seed=10**4000), r"\$\.verdict\.seed"),
        (lambda r: r.update(planned_los=-(2**63) - 1), r"\$\.planned_los"),
    ],
    ids=range(7),
)
def test_numbers_beyond_limits_are_refused_with_place(change: Change, place: str) -> None:
    fields = json.loads(encode_json(quiet()))
    change(fields)
    with pytest.raises(msgspec.DecodeError, match=place):
        decode_result(json.dumps(fields).encode())


@pytest.mark.parametrize(
    "raw",
    [b"[" * 100_000, b'{"type":"run","x":' + b"[" * 100_000, b"", b"null", b'"\xff"', b'{"took_s":1e400}', b"9" * 5000],
    ids=range(7),
)
def test_what_is_not_a_result_is_refused_with_its_file(tmp_path: Path, raw: bytes) -> None:
    bundle = tmp_path / "runs" / "x"
    bundle.mkdir(parents=True)
    (bundle / "result.json").write_bytes(raw)
    for read in (lambda: read_bundle(bundle), lambda: gather(tmp_path, "")):
        with pytest.raises(ScenarioError, match=r"runs/x/result\.json"):
            read()
