"""Precision, recall and latency of each check of value quality, over degraded descents.

python benchmarks/quality.py               seeds 101 to 200, which the checks were not tuned on
python benchmarks/quality.py --seeds 1 20  others
python benchmarks/quality.py --json        one object, for a machine
"""

from __future__ import annotations

import argparse
import json

import msgspec

from hil.verdict.check_trials import trial
from hil.verdict.result import CheckScore
from hil.verdict.value_quality import total

_HEAD = (
    f"{'parameter':20}{'check':14}{'garbage':>9}{'recall':>9}{'good':>9}{'marked':>9}{'precision':>11}{'latency':>10}"
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", nargs=2, type=int, default=(101, 200), metavar=("FIRST", "LAST"))
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    first, last = arguments.seeds
    rows = trial(range(first, last + 1))
    whole = total(rows)
    if arguments.as_json:
        print(json.dumps([msgspec.to_builtins(row) for row in (whole, *rows)]))
        return
    print(f"{last - first + 1} degraded descents, seeds {first} to {last}")
    print(_HEAD)
    for row in (whole, *rows):
        print(_line(row))


def _line(row: CheckScore) -> str:
    good = row.values - row.garbage
    latency = "" if row.latency_ms is None else f"{row.latency_ms:,.0f} ms"
    shares = f"{_share(row.recall):>9}{good:>9}{_share(row.false_share):>9}{_share(row.precision):>11}"
    return f"{row.parameter or 'all':20}{row.check:14}{row.garbage:>9}{shares}{latency:>10}"


def _share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f} %"


if __name__ == "__main__":
    main()
