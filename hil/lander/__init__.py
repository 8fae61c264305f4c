"""The software lander: a deterministic machine of integers, one tick = 100 ms. ``docs/lander.md`` is its specification.

What lives here: fixed-point arithmetic, the atmosphere, the dynamics, the sequencer, the instruments and other
systems, the chip's faults, what turns them into frames, and what telecommands need and do. The flight, the mission
clock and the chip's injected faults are pure functions from one frozen value to the next.

What may not: floats, clocks, sockets, threads, files, randomness from the host, or any arithmetic that the C
twin in `hil/firmware` cannot repeat bit for bit. Every intermediate of the flight fits in int64; `//` and
`>>` see no negative number (`fixed.div` divides those).
"""
