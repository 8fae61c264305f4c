"""FARM-1, the spacecraft's end of COP-1 (CCSDS 232.1-B-2 §6): which frames are accepted, and the CLCW that says so.

Rules:
1. Frames come here after all validation but one (§6.3.2): a control command that is neither Unlock nor Set V(R), or
   a type-A control frame, is invalid (E9).
2. In Wait no buffer is free until `release` says so (E10), whatever ``room`` claims.
3. FARM-1 has no outputs of its own: what a frame led to is its verdict, all else is in the next CLCW.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.ccsds.clcw import Clcw
from protocols.ccsds.tc_frame import SetVr, Unlock, decode_control
from protocols.cop1.farm1_table import FARM_TABLE, FarmAction, FarmState
from protocols.errors import DeclarationError, DecodeError

MAX_WINDOW = 254


@dataclass(frozen=True, slots=True)
class FarmVerdict:
    """What a frame led to: its event in table 6-1, and the FDU that arrived (§3.3.2), or None."""

    event: int
    fdu: bytes | None = None


class Farm1:
    """One virtual channel's FARM-1. Feed it frames; ask it for the CLCW whenever one is due."""

    def __init__(self, vcid: int = 0, window: int = 20, vr: int = 0) -> None:
        """Args: the channel, W (§6.1.8.2: even, 2 … 254; PW = NW = W/2) and the first V(R).

        Raises:
            DeclarationError: W or V(R) cannot be.
        """
        if window % 2 or not 2 <= window <= MAX_WINDOW:
            raise DeclarationError("farm1.window", f"{window} is not even and within 2 … {MAX_WINDOW}")
        if not 0 <= vr <= 0xFF:
            raise DeclarationError("farm1.vr", f"{vr} is not within 0 … 255")
        self.vcid = vcid
        self._half = window // 2
        self._vr = vr
        self._state = FarmState.OPEN
        self._flags = {"lockout": False, "wait": False, "retransmit": False}
        self._farm_b = 0

    @property
    def state(self) -> FarmState:
        """Open, Wait or Lockout."""
        return self._state

    @property
    def vr(self) -> int:
        """V(R), the N(S) of the next frame to be accepted (§6.1.7)."""
        return self._vr

    @property
    def farm_b(self) -> int:
        """All type-B frames accepted so far (§6.1.6); the CLCW tells it modulo 4."""
        return self._farm_b

    def frame(self, bypass: bool, control: bool, ns: int, data: bytes, room: bool = True) -> FarmVerdict:
        """A valid frame arrived, E1 … E9. ``room``: whether a buffer is free for another FDU."""
        event = self._event(bypass, control, ns, data, room)
        accepted = self._apply(event, data)
        return FarmVerdict(event, data if accepted else None)

    def release(self) -> None:
        """Buffer Release Signal, E10: there is room for at least one more FDU."""
        self._apply(10, b"")

    def clcw(self, no_rf: bool = False, no_bit_lock: bool = False) -> Clcw:
        """The report, E11 (§6.1.4). The two flags are the receiver's own and pass through."""
        return Clcw(
            vcid=self.vcid,
            lockout=self._flags["lockout"],
            wait=self._flags["wait"],
            retransmit=self._flags["retransmit"],
            farm_b=self._farm_b & 3,
            report=self._vr,
            no_rf=no_rf,
            no_bit_lock=no_bit_lock,
        )

    def _event(self, bypass: bool, control: bool, ns: int, data: bytes, room: bool) -> int:
        if not bypass:
            return 9 if control else self._event_ad(ns, room)
        return _event_bc(data) if control else 6

    def _event_ad(self, ns: int, room: bool) -> int:
        """Where N(S) lies in the sliding window (§6.1.8, figure 6-1), modulo 256."""
        ahead = (ns - self._vr) & 0xFF
        if ahead == 0:
            return 1 if room and self._state is not FarmState.WAIT else 2
        if ahead < self._half:
            return 3
        return 4 if 256 - ahead <= self._half else 5

    def _apply(self, event: int, data: bytes) -> bool:
        """Does what table 6-1 says. Returns whether the frame was accepted."""
        cell = FARM_TABLE[event][self._state - 1]
        for action in cell.actions:
            self._do(action, data)
        self._state = cell.state
        return FarmAction.ACCEPT in cell.actions

    def _do(self, action: FarmAction, data: bytes) -> None:
        if action in _FLAG_ACTIONS:
            flag, value = _FLAG_ACTIONS[action]
            self._flags[flag] = value
        elif action is FarmAction.NEXT_V_R:
            self._vr = (self._vr + 1) & 0xFF
        elif action is FarmAction.SET_V_R:
            command = decode_control(data)
            assert isinstance(command, SetVr)
            self._vr = command.value
        elif action is FarmAction.COUNT_B:
            self._farm_b += 1


def _event_bc(data: bytes) -> int:
    """Whether a control command is one of the two there are."""
    try:
        return 7 if isinstance(decode_control(data), Unlock) else 8
    except DecodeError:
        return 9


_FLAG_ACTIONS = {
    FarmAction.SET_RETRANSMIT: ("retransmit", True),
    FarmAction.CLEAR_RETRANSMIT: ("retransmit", False),
    FarmAction.SET_WAIT: ("wait", True),
    FarmAction.CLEAR_WAIT: ("wait", False),
    FarmAction.SET_LOCKOUT: ("lockout", True),
    FarmAction.CLEAR_LOCKOUT: ("lockout", False),
}
