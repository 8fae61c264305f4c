"""A whole lockstep descent with station, archive and verdict, interpreter start included, beside a bare start."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def timed(arguments: list[str]) -> float:
    """Seconds of one process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def main(rounds: int = 7) -> None:
    """Print the table; the two commands in turn, so that a slow moment hits both."""
    flights, starts = [], []
    with tempfile.TemporaryDirectory() as folder:
        for n in range(rounds):
            starts.append(timed(["-m", "hil.cli", "--help"]))
            record = str(Path(folder) / f"{n}.sqlite")
            flights.append(timed(["-m", "hil.cli", "fly", "--lockstep", "--record", record]))
    start, flight = statistics.median(starts), statistics.median(flights)
    print(f"{'':34}{'median s':>9}{'min s':>8}{'max s':>8}")
    print(f"{'hil --help (floor: the start)':34}{start:9.2f}{min(starts):8.2f}{max(starts):8.2f}")
    print(f"{'hil fly --lockstep':34}{flight:9.2f}{min(flights):8.2f}{max(flights):8.2f}")
    print(f"{'ratio':34}{flight / start:9.2f}")


if __name__ == "__main__":
    main()
