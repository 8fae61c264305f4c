"""Frames and packets out of a file of raw bytes, without a station: the cores take bytes and give values.

    hil fly --lockstep --report out/example
    python examples/decode_capture.py out/example/runs/los-lander-only-software/sent.bin

The same from the command line: groundstation decode FILE --jsonl -
"""

import sys
from collections import Counter
from pathlib import Path

import groundstation
from groundstation.messages import Telemetry

PIECE = 4096


def main(path: str) -> None:
    """Print how many packets of each type there are, and the last values of one."""
    mission = groundstation.load_mission("mars6")
    receiver = groundstation.Receiver(mission.dictionary, mission.link_profile, path)
    data = Path(path).read_bytes()
    counts: Counter[str] = Counter()
    last: Telemetry | None = None
    for start in range(0, len(data), PIECE):
        for message in receiver.feed(data[start : start + PIECE], ert=start):
            if isinstance(message, Telemetry):
                counts[message.packet] += 1
                last = message if message.packet == "DESCENT" else last
    for name, count in counts.most_common():
        print(f"{name:<12} {count}")
    if last is not None:
        print(f"last: {last.values['phase']} at {last.values['altitude']:.1f} m")


if __name__ == "__main__":
    main(sys.argv[1])
