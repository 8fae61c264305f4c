"""FARM-1 row by row against table 6-1 of CCSDS 232.1-B-2, and its window over all N(S) and V(R)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.clcw import Clcw
from protocols.cop1 import Farm1, FarmState
from protocols.errors import DeclarationError

# Event: what is done in S1, S2 and S3 (new state in brackets). NA: not applicable.
TABLE = """
E1 | accept, V(R)+1, retransmit=0 (S1) | NA | discard (S3)
E2 | discard, retransmit=1, wait=1 (S2) | discard (S2) | discard (S3)
E3 | discard, retransmit=1 (S1) | discard (S2) | discard (S3)
E4 | discard (S1) | discard (S2) | discard (S3)
E5 | discard, lockout=1 (S3) | discard, lockout=1 (S3) | discard (S3)
E6 | accept, B+1 (S1) | accept, B+1 (S2) | accept, B+1 (S3)
E7 | B+1, retransmit=0 (S1) | B+1, retransmit=0, wait=0 (S1) | B+1, retransmit=0, wait=0, lockout=0 (S1)
E8 | B+1, retransmit=0, V(R)=V*(R) (S1) | B+1, retransmit=0, wait=0, V(R)=V*(R) (S1) | B+1 (S3)
E9 | discard (S1) | discard (S2) | discard (S3)
E10 | NA | wait=0 (S1) | wait=0 (S3)
E11 | report (S1) | report (S2) | report (S3)
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
CELLS = [(row[0], state, row[state]) for row in ROWS for state in (1, 2, 3) if row[state] != "NA"]

VR, HALF, FDU = 250, 10, b"fdu"
FRAMES = {
    "E1": (False, False, VR, FDU, True),
    "E2": (False, False, VR, FDU, False),
    "E3": (False, False, (VR + HALF - 1) % 256, FDU, True),
    "E4": (False, False, VR - HALF, FDU, True),
    "E5": (False, False, (VR + HALF) % 256, FDU, True),
    "E6": (True, False, 0, FDU, False),
    "E7": (True, True, 0, b"\0", True),
    "E8": (True, True, 0, b"\x82\0\x21", True),
    "E9": (True, True, 0, b"\x82\1\x21", True),
}


def farm_in(state: int, retransmit: bool) -> Farm1:
    """A FARM-1 in a state; in Lockout with all flags set."""
    farm = Farm1(vcid=3, window=2 * HALF, vr=VR)
    if state == 1 and retransmit:
        farm.frame(*FRAMES["E3"])
    if state > 1:
        farm.frame(*FRAMES["E2"])
    if state == 3:
        farm.frame(*FRAMES["E5"])
    assert farm.state == state
    return farm


def expected(words: list[str], before: Clcw) -> Clcw:
    """The report after what the table says was done."""
    flags = {"lockout": before.lockout, "wait": before.wait, "retransmit": before.retransmit}
    report, farm_b = before.report, before.farm_b
    for word in words:
        name, _, value = word.partition("=")
        if name in flags:
            flags[name] = value == "1"
        elif word == "V(R)+1":
            report = (report + 1) % 256
        elif word == "V(R)=V*(R)":
            report = 0x21
        elif word == "B+1":
            farm_b = (farm_b + 1) % 4
    return Clcw(vcid=3, report=report, farm_b=farm_b, **flags)


@pytest.mark.parametrize("retransmit", [False, True])
@pytest.mark.parametrize(("event", "state", "cell"), CELLS)
def test_table_6_1(event: str, state: int, cell: str, retransmit: bool) -> None:
    actions, _, after = cell.rstrip(")").partition(" (S")
    words = actions.split(", ")
    farm = farm_in(state, retransmit)
    before = farm.clcw()
    if event == "E10":
        farm.release()
    elif event != "E11":
        verdict = farm.frame(*FRAMES[event])
        assert f"E{verdict.event}" == event
        assert verdict.fdu == (FDU if "accept" in words else None)
    assert farm.clcw() == expected(words, before)
    assert farm.state == int(after)


def test_in_wait_no_buffer_is_free_until_it_is_released() -> None:
    farm = farm_in(2, retransmit=False)
    assert farm.frame(*FRAMES["E1"]).event == 2
    farm.release()
    assert farm.frame(*FRAMES["E1"]).fdu == FDU


def test_a_release_in_open_changes_nothing() -> None:
    farm = farm_in(1, retransmit=True)
    before = farm.clcw()
    farm.release()
    assert farm.clcw() == before


def test_a_type_a_control_frame_is_invalid() -> None:
    assert Farm1().frame(False, True, 0, b"\0").event == 9


def test_the_counter_of_type_b_frames_is_told_modulo_four() -> None:
    farm = Farm1()
    for _ in range(6):
        farm.frame(True, False, 0, FDU)
    assert (farm.farm_b, farm.clcw().farm_b) == (6, 2)


def test_the_receivers_flags_pass_through() -> None:
    clcw = Farm1().clcw(no_rf=True, no_bit_lock=True)
    assert clcw.no_rf
    assert clcw.no_bit_lock


@pytest.mark.parametrize("window", [0, 1, 3, 255, 256])
def test_a_window_that_cannot_be(window: int) -> None:
    with pytest.raises(DeclarationError, match=r"farm1\.window"):
        Farm1(window=window)


def test_a_first_number_that_cannot_be() -> None:
    with pytest.raises(DeclarationError, match=r"farm1\.vr"):
        Farm1(vr=256)


@given(st.integers(0, 255), st.integers(1, 127))
def test_the_window_is_where_figure_6_1_draws_it(vr: int, half: int) -> None:
    positive = {(vr + n) % 256 for n in range(1, half)}
    negative = {(vr - n) % 256 for n in range(1, half + 1)}
    assert len(positive) + len(negative) == 2 * half - 1
    for ns in range(256):
        event = Farm1(window=2 * half, vr=vr).frame(False, False, ns, FDU).event
        assert event == (1 if ns == vr else 3 if ns in positive else 4 if ns in negative else 5)


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 255), st.binary(max_size=4), st.booleans())),
    st.integers(0, 255),
)
def test_any_frames_at_all(frames: list[tuple[bool, bool, int, bytes, bool]], vr: int) -> None:
    farm = Farm1(vr=vr)
    for frame in frames:
        before = farm.vr
        verdict = farm.frame(*frame)
        flags = farm.clcw()
        assert flags.lockout == (farm.state is FarmState.LOCKOUT)
        assert farm.state is not FarmState.WAIT or flags.wait
        if verdict.event == 1 and verdict.fdu is not None:
            assert farm.vr == (before + 1) % 256
        elif verdict.event != 8:
            assert farm.vr == before
