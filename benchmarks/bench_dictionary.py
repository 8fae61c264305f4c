"""Loading a mission of 10,000 parameters beside its floor, construct's own objects for it. Ratios count."""

from __future__ import annotations

import time
from collections.abc import Callable

import construct as c

from protocols.declare.dictionary import Dictionary, PacketDef
from protocols.structures.fields import Limits, Quantity

PARAMETERS = 10_000
KINDS = 5
ROUNDS = 3


def declare(packets: int) -> tuple[PacketDef, ...]:
    """So many packets that hold 10,000 parameters together: numbers, floats, enums and bits."""
    groups = PARAMETERS // KINDS // packets
    return tuple(
        PacketDef(f"HK{n}", n % 2000 + 1, 3, 25 + n // 2000, c.Struct(*body(groups)), 1000, "Housekeeping.")
        for n in range(packets)
    )


def body(groups: int) -> list[c.Construct]:
    """Five parameters a group."""
    fields: list[c.Construct] = []
    for n in range(groups):
        fields += [
            f"volt_{n}" / Quantity(c.Int16ub, "V", scale=0.1, limits=Limits(0, 1, 8, 9)),
            f"float_{n}" / c.Float32b,
            f"mode_{n}" / c.Enum(c.Int8ub, OFF=0, ON=1),
            f"bits_{n}" / c.BitStruct("low" / c.BitsInteger(3), "high" / c.BitsInteger(5)),
        ]
    return fields


def best(action: Callable[[], object]) -> float:
    """Fastest of several rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print a table."""
    print(f"{PARAMETERS} parameters\n  packets   construct s   dictionary s   × construct")
    for packets in (1, 20, 200, 2000):
        declared = declare(packets)
        floor = best(lambda packets=packets: declare(packets))  # type: ignore[misc]
        ours = best(lambda declared=declared: Dictionary("BIG", 1, declared, (), (), ()))  # type: ignore[misc]
        print(f"{packets:>9}{floor:>14.2f}{ours:>15.2f}{ours / floor:>14.1f}")


if __name__ == "__main__":
    main()
