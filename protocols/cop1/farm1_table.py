"""FARM-1's state table, CCSDS 232.1-B-2 table 6-1: event → what is done in S1, S2 and S3, and the state after it."""

from __future__ import annotations

from enum import Enum, IntEnum, auto
from typing import NamedTuple


class FarmState(IntEnum):
    """§6.1.2."""

    OPEN = 1
    WAIT = 2
    LOCKOUT = 3


class FarmAction(Enum):
    """What a cell of the table asks for. A frame that is not accepted is discarded."""

    ACCEPT = auto()
    NEXT_V_R = auto()
    COUNT_B = auto()
    SET_V_R = auto()
    SET_RETRANSMIT = auto()
    CLEAR_RETRANSMIT = auto()
    SET_WAIT = auto()
    CLEAR_WAIT = auto()
    SET_LOCKOUT = auto()
    CLEAR_LOCKOUT = auto()


class FarmCell(NamedTuple):
    """One cell: actions in order, then the new state."""

    state: FarmState
    actions: tuple[FarmAction, ...]


def _go(state: FarmState, *actions: FarmAction) -> FarmCell:
    return FarmCell(state, actions)


S1, S2, S3 = FarmState
_A = FarmAction

FARM_TABLE: dict[int, tuple[FarmCell, FarmCell, FarmCell]] = {
    # AD, N(S) = V(R), a buffer is free. Not applicable in S2, which has none.
    1: (_go(S1, _A.ACCEPT, _A.NEXT_V_R, _A.CLEAR_RETRANSMIT), _go(S2), _go(S3)),
    # AD, N(S) = V(R), no buffer is free.
    2: (_go(S2, _A.SET_RETRANSMIT, _A.SET_WAIT), _go(S2), _go(S3)),
    # AD in the positive window, V(R) < N(S) < V(R) + PW.
    3: (_go(S1, _A.SET_RETRANSMIT), _go(S2), _go(S3)),
    # AD in the negative window, V(R) − NW ≤ N(S) < V(R).
    4: (_go(S1), _go(S2), _go(S3)),
    # AD outside of both.
    5: (_go(S3, _A.SET_LOCKOUT), _go(S3, _A.SET_LOCKOUT), _go(S3)),
    # BD.
    6: (_go(S1, _A.ACCEPT, _A.COUNT_B), _go(S2, _A.ACCEPT, _A.COUNT_B), _go(S3, _A.ACCEPT, _A.COUNT_B)),
    # BC, Unlock.
    7: (
        _go(S1, _A.COUNT_B, _A.CLEAR_RETRANSMIT),
        _go(S1, _A.COUNT_B, _A.CLEAR_RETRANSMIT, _A.CLEAR_WAIT),
        _go(S1, _A.COUNT_B, _A.CLEAR_RETRANSMIT, _A.CLEAR_WAIT, _A.CLEAR_LOCKOUT),
    ),
    # BC, Set V(R): not executed in Lockout.
    8: (
        _go(S1, _A.COUNT_B, _A.CLEAR_RETRANSMIT, _A.SET_V_R),
        _go(S1, _A.COUNT_B, _A.CLEAR_RETRANSMIT, _A.CLEAR_WAIT, _A.SET_V_R),
        _go(S3, _A.COUNT_B),
    ),
    # An invalid frame.
    9: (_go(S1), _go(S2), _go(S3)),
    # Buffer Release Signal.
    10: (_go(S1), _go(S1, _A.CLEAR_WAIT), _go(S3, _A.CLEAR_WAIT)),
    # Time to report.
    11: (_go(S1), _go(S2), _go(S3)),
}
