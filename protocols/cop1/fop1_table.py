"""FOP-1's state table, CCSDS 232.1-B-2 table 5-1: event → what is done in S1 … S6, and the state after it.

A row stands as in the standard, and its comment is the row's head: one cell for each state, S1 first; actions in
the standard's order, after the new state. `NOT_APPLICABLE` marks cells that cannot be reached. E101 … E104 are the
standard's own numbers.
"""

from __future__ import annotations

from enum import Enum, IntEnum, auto
from typing import NamedTuple


class FopState(IntEnum):
    """§5.1.2."""

    ACTIVE = 1
    RETRANSMIT_WITHOUT_WAIT = 2
    RETRANSMIT_WITH_WAIT = 3
    INITIALISING_WITHOUT_BC = 4
    INITIALISING_WITH_BC = 5
    INITIAL = 6


class FopAction(Enum):
    """What a cell of the table asks for (§5.2)."""

    ACCEPT = auto()
    REJECT = auto()
    CONFIRM = auto()
    REMOVE_ACKNOWLEDGED = auto()
    RETRANSMIT_AD = auto()
    RETRANSMIT_BC = auto()
    LOOK_FOR_FDU = auto()
    LOOK_FOR_DIRECTIVE = auto()
    ADD_TO_WAIT_QUEUE = auto()
    TRANSMIT_BD = auto()
    TRANSMIT_UNLOCK = auto()
    TRANSMIT_SET_V_R = auto()
    RELEASE_BC = auto()
    INITIALISE = auto()
    START_TIMER = auto()
    CANCEL_TIMER = auto()
    SUSPEND = auto()
    RESUME = auto()
    SET_V_S = auto()
    SET_WINDOW = auto()
    SET_T1 = auto()
    SET_LIMIT = auto()
    SET_TIMEOUT_TYPE = auto()
    AD_OUT_READY = auto()
    BC_OUT_READY = auto()
    BD_OUT_READY = auto()
    ALERT_SYNCH = auto()
    ALERT_CLCW = auto()
    ALERT_LIMIT = auto()
    ALERT_T1 = auto()
    ALERT_LOCKOUT = auto()
    ALERT_NNR = auto()
    ALERT_LLIF = auto()
    ALERT_TERM = auto()


class FopCell(NamedTuple):
    """One cell: the new state, then what is done before it is taken."""

    state: FopState
    actions: tuple[FopAction, ...]


FopRow = tuple[FopCell | None, FopCell | None, FopCell | None, FopCell | None, FopCell | None, FopCell | None]

NOT_APPLICABLE = None


def _go(state: FopState, *actions: FopAction) -> FopCell:
    return FopCell(state, actions)


def _stay(*actions: FopAction) -> FopRow:
    """The same in all states, and the state is kept."""
    one, two, three, four, five, six = (_go(state, *actions) for state in FopState)
    return (one, two, three, four, five, six)


S1, S2, S3, S4, S5, S6 = FopState
_A = FopAction
_NA = NOT_APPLICABLE

# Ignore, and keep the state.
_I1, _I2, _I3, _I5, _I6 = _go(S1), _go(S2), _go(S3), _go(S5), _go(S6)
# Reject, and keep the state.
_R1, _R2, _R3, _R4, _R5, _R6 = (_go(state, _A.REJECT) for state in FopState)

_SYNCH = _go(S6, _A.ALERT_SYNCH)
_CLCW = _go(S6, _A.ALERT_CLCW)
_T1 = _go(S6, _A.ALERT_T1)
_NNR = _go(S6, _A.ALERT_NNR)
_LOCKOUT = _go(S6, _A.ALERT_LOCKOUT)
_LLIF = _go(S6, _A.ALERT_LLIF)
_LLIF_BD = _go(S6, _A.REJECT, _A.ALERT_LLIF)
_LIMIT = _go(S6, _A.ALERT_LIMIT)
_REMOVE_LIMIT = _go(S6, _A.REMOVE_ACKNOWLEDGED, _A.ALERT_LIMIT)
_ALL_ACKNOWLEDGED = _go(S1, _A.REMOVE_ACKNOWLEDGED, _A.CANCEL_TIMER, _A.LOOK_FOR_FDU)
_SOME_ACKNOWLEDGED = _go(S1, _A.REMOVE_ACKNOWLEDGED, _A.LOOK_FOR_FDU)
_REMOVE_RETRANSMIT = _go(S2, _A.REMOVE_ACKNOWLEDGED, _A.RETRANSMIT_AD, _A.LOOK_FOR_FDU)
_REMOVE_WAIT = _go(S3, _A.REMOVE_ACKNOWLEDGED)
_RETRANSMIT = _go(S2, _A.RETRANSMIT_AD, _A.LOOK_FOR_FDU)
_RETRANSMIT_1 = _go(S1, _A.RETRANSMIT_AD, _A.LOOK_FOR_FDU)
_RETRANSMIT_BC = _go(S5, _A.RETRANSMIT_BC, _A.LOOK_FOR_DIRECTIVE)
_SUSPEND = _go(S6, _A.SUSPEND)
_TERMINATE = _go(S6, _A.ACCEPT, _A.ALERT_TERM, _A.CONFIRM)
_RESUME = (_A.ACCEPT, _A.RESUME, _A.CONFIRM)

FOP_TABLE: dict[int, FopRow] = {
    # A CLCW with Lockout = 0 …
    # N(R) = V(S): all acknowledged. Retransmit = 0, Wait = 0, N(R) = NN(R).
    1: (
        _I1,
        _SYNCH,
        _SYNCH,
        _go(S1, _A.CONFIRM, _A.CANCEL_TIMER),
        _go(S1, _A.CONFIRM, _A.RELEASE_BC, _A.CANCEL_TIMER),
        _I6,
    ),
    # N(R) = V(S), Retransmit = 0, Wait = 0, N(R) ≠ NN(R).
    2: (_ALL_ACKNOWLEDGED, _ALL_ACKNOWLEDGED, _ALL_ACKNOWLEDGED, _NA, _NA, _I6),
    # N(R) = V(S), Retransmit = 0, Wait = 1.
    3: (_CLCW, _CLCW, _CLCW, _CLCW, _CLCW, _I6),
    # N(R) = V(S), Retransmit = 1.
    4: (_SYNCH, _SYNCH, _SYNCH, _SYNCH, _I5, _I6),
    # NN(R) ≤ N(R) < V(S): some outstanding. Retransmit = 0, Wait = 0, N(R) = NN(R).
    5: (_I1, _SYNCH, _SYNCH, _NA, _NA, _I6),
    # … Retransmit = 0, Wait = 0, N(R) ≠ NN(R).
    6: (_SOME_ACKNOWLEDGED, _SOME_ACKNOWLEDGED, _SOME_ACKNOWLEDGED, _NA, _NA, _I6),
    # … Retransmit = 0, Wait = 1.
    7: (_CLCW, _CLCW, _CLCW, _NA, _NA, _I6),
    # … Retransmit = 1, Transmission_Limit = 1, N(R) ≠ NN(R).
    101: (_REMOVE_LIMIT, _REMOVE_LIMIT, _REMOVE_LIMIT, _NA, _NA, _I6),
    # … Retransmit = 1, Transmission_Limit = 1, N(R) = NN(R).
    102: (_LIMIT, _LIMIT, _LIMIT, _NA, _NA, _I6),
    # … Retransmit = 1, Transmission_Limit > 1, N(R) ≠ NN(R), Wait = 0.
    8: (_REMOVE_RETRANSMIT, _REMOVE_RETRANSMIT, _REMOVE_RETRANSMIT, _NA, _NA, _I6),
    # … Retransmit = 1, Transmission_Limit > 1, N(R) ≠ NN(R), Wait = 1.
    9: (_REMOVE_WAIT, _REMOVE_WAIT, _REMOVE_WAIT, _NA, _NA, _I6),
    # … Retransmit = 1, N(R) = NN(R), Transmission_Count < Transmission_Limit, Wait = 0.
    10: (_RETRANSMIT, _I2, _RETRANSMIT, _NA, _NA, _I6),
    # … Retransmit = 1, N(R) = NN(R), Transmission_Count < Transmission_Limit, Wait = 1.
    11: (_I3, _I3, _I3, _NA, _NA, _I6),
    # … Retransmit = 1, N(R) = NN(R), Transmission_Count ≥ Transmission_Limit, Wait = 0.
    12: (_I2, _I2, _I2, _NA, _NA, _I6),
    # … Retransmit = 1, N(R) = NN(R), Transmission_Count ≥ Transmission_Limit, Wait = 1.
    103: (_I3, _I3, _I3, _NA, _NA, _I6),
    # N(R) < NN(R) or N(R) > V(S): invalid.
    13: (_NNR, _NNR, _NNR, _NNR, _I5, _I6),
    # A CLCW with Lockout = 1.
    14: (_LOCKOUT, _LOCKOUT, _LOCKOUT, _LOCKOUT, _I5, _I6),
    # An invalid CLCW.
    15: (_CLCW, _CLCW, _CLCW, _CLCW, _CLCW, _I6),
    # The timer expires: Transmission_Count < Transmission_Limit, Timeout_Type = 0.
    16: (_RETRANSMIT_1, _RETRANSMIT, _I3, _T1, _RETRANSMIT_BC, _NA),
    # … Transmission_Count < Transmission_Limit, Timeout_Type = 1.
    104: (_RETRANSMIT_1, _RETRANSMIT, _I3, _SUSPEND, _RETRANSMIT_BC, _NA),
    # … Transmission_Count ≥ Transmission_Limit, Timeout_Type = 0.
    17: (_T1, _T1, _T1, _T1, _T1, _NA),
    # … Transmission_Count ≥ Transmission_Limit, Timeout_Type = 1.
    18: (_SUSPEND, _SUSPEND, _SUSPEND, _SUSPEND, _T1, _NA),
    # Request to Transfer FDU: AD, Wait_Queue empty.
    19: (
        _go(S1, _A.ADD_TO_WAIT_QUEUE, _A.LOOK_FOR_FDU),
        _go(S2, _A.ADD_TO_WAIT_QUEUE, _A.LOOK_FOR_FDU),
        _go(S3, _A.ADD_TO_WAIT_QUEUE),
        _R4,
        _R5,
        _R6,
    ),
    # … AD, Wait_Queue not empty.
    20: _stay(_A.REJECT),
    # … BD, BD_Out_Flag Ready.
    21: _stay(_A.TRANSMIT_BD),
    # … BD, BD_Out_Flag Not_Ready.
    22: _stay(_A.REJECT),
    # Directive: Initiate AD Service (without CLCW check).
    23: (_R1, _R2, _R3, _R4, _R5, _go(S1, _A.ACCEPT, _A.INITIALISE, _A.CONFIRM)),
    # … Initiate AD Service (with CLCW check).
    24: (_R1, _R2, _R3, _R4, _R5, _go(S4, _A.ACCEPT, _A.INITIALISE, _A.START_TIMER)),
    # … Initiate AD Service (with Unlock), BC_Out_Flag Ready.
    25: (_R1, _R2, _R3, _R4, _R5, _go(S5, _A.ACCEPT, _A.INITIALISE, _A.TRANSMIT_UNLOCK)),
    # … Initiate AD Service (with Unlock), BC_Out_Flag Not_Ready.
    26: _stay(_A.REJECT),
    # … Initiate AD Service (with Set V(R)), BC_Out_Flag Ready. V(S) and NN(R) become V*(R).
    27: (_R1, _R2, _R3, _R4, _R5, _go(S5, _A.ACCEPT, _A.INITIALISE, _A.SET_V_S, _A.TRANSMIT_SET_V_R)),
    # … Initiate AD Service (with Set V(R)), BC_Out_Flag Not_Ready.
    28: _stay(_A.REJECT),
    # … Terminate AD Service.
    29: (_TERMINATE, _TERMINATE, _TERMINATE, _TERMINATE, _TERMINATE, _go(S6, _A.ACCEPT, _A.CONFIRM)),
    # … Resume AD Service, SS = 0.
    30: _stay(_A.REJECT),
    # … Resume AD Service, SS = 1 … 4.
    31: (_NA, _NA, _NA, _NA, _NA, _go(S1, *_RESUME)),
    32: (_NA, _NA, _NA, _NA, _NA, _go(S2, *_RESUME)),
    33: (_NA, _NA, _NA, _NA, _NA, _go(S3, *_RESUME)),
    34: (_NA, _NA, _NA, _NA, _NA, _go(S4, *_RESUME)),
    # … Set V(S). V(S) and NN(R) become V*(S). With SS ≠ 0 the standard's cell for S6 rejects: that is E40 here.
    35: (_R1, _R2, _R3, _R4, _R5, _go(S6, _A.ACCEPT, _A.SET_V_S, _A.CONFIRM)),
    # … Set FOP_Sliding_Window.
    36: _stay(_A.ACCEPT, _A.SET_WINDOW, _A.CONFIRM),
    # … Set T1_Initial.
    37: _stay(_A.ACCEPT, _A.SET_T1, _A.CONFIRM),
    # … Set Transmission_Limit.
    38: _stay(_A.ACCEPT, _A.SET_LIMIT, _A.CONFIRM),
    # … Set Timeout_Type.
    39: _stay(_A.ACCEPT, _A.SET_TIMEOUT_TYPE, _A.CONFIRM),
    # … invalid.
    40: _stay(_A.REJECT),
    # Lower Procedures: AD_Accept.
    41: (
        _go(S1, _A.AD_OUT_READY, _A.LOOK_FOR_FDU),
        _go(S2, _A.AD_OUT_READY, _A.LOOK_FOR_FDU),
        _go(S3, _A.AD_OUT_READY),
        _go(S4, _A.AD_OUT_READY),
        _go(S5, _A.AD_OUT_READY),
        _go(S6, _A.AD_OUT_READY),
    ),
    # … AD_Reject.
    42: (_LLIF, _LLIF, _LLIF, _LLIF, _LLIF, _LLIF),
    # … BC_Accept.
    43: (
        _go(S1, _A.BC_OUT_READY),
        _go(S2, _A.BC_OUT_READY),
        _go(S3, _A.BC_OUT_READY),
        _go(S4, _A.BC_OUT_READY),
        _go(S5, _A.BC_OUT_READY, _A.LOOK_FOR_DIRECTIVE),
        _go(S6, _A.BC_OUT_READY),
    ),
    # … BC_Reject.
    44: (_LLIF, _LLIF, _LLIF, _LLIF, _LLIF, _LLIF),
    # … BD_Accept.
    45: _stay(_A.BD_OUT_READY, _A.ACCEPT),
    # … BD_Reject. The standard has the Alert alone; Reject is here so that the request gets its answer (§4.4.3).
    46: (_LLIF_BD, _LLIF_BD, _LLIF_BD, _LLIF_BD, _LLIF_BD, _LLIF_BD),
}
