"""The spacecraft that could have relayed the lander on 12 March 1974: one did, three could not.

Marks as in `protocols.lander`. The margins are assumed: 6 dB at the bus's 2,029 km, and for the others that, less the
loss of free space to their range.
"""

from __future__ import annotations

from protocols.declare.mission import Figure, Relay

MASK_DEG = 15.0
"""Below this elevation the bus relays nothing [A]."""

RELAYS = (
    Relay(
        "MARS_6_BUS",
        "The flyby bus that brought the lander: it relays while it passes, until it sets at t = 1,215 s.",
        "S",
        "ALIVE",
        "the only candidate that passes over the site [C]; two of its own telemetry channels work [F]",
        "S",
        range=Figure(2029.0, "C"),
        elevation="BUS_HK.elevation",
        mask=Figure(MASK_DEG, "A"),
        margin=Figure(6.0, "A"),
    ),
    Relay(
        "MARS_5",
        "An orbiter that was expected to relay for both landers.",
        "S",
        "FAILED",
        "in orbit on 12 February [F]; failed after a few days in orbit [S], 9 to 16 of them [F/R]",
        "S",
    ),
    Relay(
        "MARS_4",
        "An orbiter that was expected to relay for both landers.",
        "S",
        "OUT_OF_RANGE",
        "failed to enter orbit [S]; flew past at 2,000 to 2,200 km on 10 February [F]",
        "F",
        range=Figure(7_000_000.0, "C"),
        margin=Figure(-64.8, "A"),
    ),
    Relay(
        "MARS_7",
        "The bus of the sister lander.",
        "S",
        "OUT_OF_RANGE",
        "its lander separated on 9 March and missed by 1,300 km; in contact to 25 March [F]",
        "F",
        range=Figure(700_000.0, "C"),
        margin=Figure(-44.8, "A"),
    ),
)
"""The candidates, the one that relays first."""
