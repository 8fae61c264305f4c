"""FOP-1 row by row against table 5-1 of CCSDS 232.1-B-2.

The table stands here once more, in the standard's words. `Model` says what each of these words does to the queues
and variables; a real FOP-1 is brought into each state, meets each event, and must have done just that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds.clcw import Clcw
from protocols.cop1 import (
    Abort,
    Alert,
    Directive,
    DirectiveKind,
    DirectiveResponse,
    Fop1,
    FopOutput,
    FopState,
    FrameKind,
    Suspended,
    TransferResponse,
    TransmitFrame,
)
from protocols.errors import DeclarationError

# Event | S1 | S2 | S3 | S4 | S5 | S6. The new state is in brackets; without one the state is kept. NA: not applicable.
TABLE = """
E1 | Ignore | Alert SYNCH (S6) | Alert SYNCH (S6) | Confirm, Cancel Timer (S1) | Confirm, Release BC, Cancel Timer (S1) | Ignore
E2 | Remove, Cancel Timer, Look FDU | Remove, Cancel Timer, Look FDU (S1) | Remove, Cancel Timer, Look FDU (S1) | NA | NA | Ignore
E3 | Alert CLCW (S6) | Alert CLCW (S6) | Alert CLCW (S6) | Alert CLCW (S6) | Alert CLCW (S6) | Ignore
E4 | Alert SYNCH (S6) | Alert SYNCH (S6) | Alert SYNCH (S6) | Alert SYNCH (S6) | Ignore | Ignore
E5 | Ignore | Alert SYNCH (S6) | Alert SYNCH (S6) | NA | NA | Ignore
E6 | Remove, Look FDU | Remove, Look FDU (S1) | Remove, Look FDU (S1) | NA | NA | Ignore
E7 | Alert CLCW (S6) | Alert CLCW (S6) | Alert CLCW (S6) | NA | NA | Ignore
E101 | Remove, Alert LIMIT (S6) | Remove, Alert LIMIT (S6) | Remove, Alert LIMIT (S6) | NA | NA | Ignore
E102 | Alert LIMIT (S6) | Alert LIMIT (S6) | Alert LIMIT (S6) | NA | NA | Ignore
E8 | Remove, Retransmit AD, Look FDU (S2) | Remove, Retransmit AD, Look FDU | Remove, Retransmit AD, Look FDU (S2) | NA | NA | Ignore
E9 | Remove (S3) | Remove (S3) | Remove | NA | NA | Ignore
E10 | Retransmit AD, Look FDU (S2) | Ignore | Retransmit AD, Look FDU (S2) | NA | NA | Ignore
E11 | Ignore (S3) | Ignore (S3) | Ignore | NA | NA | Ignore
E12 | Ignore (S2) | Ignore | Ignore (S2) | NA | NA | Ignore
E103 | Ignore (S3) | Ignore (S3) | Ignore | NA | NA | Ignore
E13 | Alert NNR (S6) | Alert NNR (S6) | Alert NNR (S6) | Alert NNR (S6) | Ignore | Ignore
E14 | Alert LOCKOUT (S6) | Alert LOCKOUT (S6) | Alert LOCKOUT (S6) | Alert LOCKOUT (S6) | Ignore | Ignore
E15 | Alert CLCW (S6) | Alert CLCW (S6) | Alert CLCW (S6) | Alert CLCW (S6) | Alert CLCW (S6) | Ignore
E16 | Retransmit AD, Look FDU | Retransmit AD, Look FDU | Ignore | Alert T1 (S6) | Retransmit BC, Look Directive | NA
E104 | Retransmit AD, Look FDU | Retransmit AD, Look FDU | Ignore | SS=4, Suspend (S6) | Retransmit BC, Look Directive | NA
E17 | Alert T1 (S6) | Alert T1 (S6) | Alert T1 (S6) | Alert T1 (S6) | Alert T1 (S6) | NA
E18 | SS=1, Suspend (S6) | SS=2, Suspend (S6) | SS=3, Suspend (S6) | SS=4, Suspend (S6) | Alert T1 (S6) | NA
E19 | Add to Wait, Look FDU | Add to Wait, Look FDU | Add to Wait | Reject | Reject | Reject
E20 | Reject | Reject | Reject | NA | NA | Reject
E21 | Transmit BD | Transmit BD | Transmit BD | Transmit BD | Transmit BD | Transmit BD
E22 | Reject | Reject | Reject | Reject | Reject | Reject
E23 | Reject | Reject | Reject | Reject | Reject | Accept, Initialize, Confirm (S1)
E24 | Reject | Reject | Reject | Reject | Reject | Accept, Initialize, Start Timer (S4)
E25 | Reject | Reject | Reject | Reject | Reject | Accept, Initialize, Transmit BC 00 (S5)
E26 | Reject | Reject | Reject | Reject | Reject | Reject
E27 | Reject | Reject | Reject | Reject | Reject | Accept, Initialize, Set V(S), Transmit BC 820077 (S5)
E28 | Reject | Reject | Reject | Reject | Reject | Reject
E29 | Accept, Alert TERM, Confirm (S6) | Accept, Alert TERM, Confirm (S6) | Accept, Alert TERM, Confirm (S6) | Accept, Alert TERM, Confirm (S6) | Accept, Alert TERM, Confirm (S6) | Accept, Confirm
E30 | Reject | Reject | Reject | Reject | Reject | Reject
E31 | NA | NA | NA | NA | NA | Accept, Resume, Confirm (S1)
E32 | NA | NA | NA | NA | NA | Accept, Resume, Confirm (S2)
E33 | NA | NA | NA | NA | NA | Accept, Resume, Confirm (S3)
E34 | NA | NA | NA | NA | NA | Accept, Resume, Confirm (S4)
E35 | Reject | Reject | Reject | Reject | Reject | Accept, Set V(S), Confirm
E36 | Accept, Set K, Confirm | Accept, Set K, Confirm | Accept, Set K, Confirm | Accept, Set K, Confirm | Accept, Set K, Confirm | Accept, Set K, Confirm
E37 | Accept, Set T1, Confirm | Accept, Set T1, Confirm | Accept, Set T1, Confirm | Accept, Set T1, Confirm | Accept, Set T1, Confirm | Accept, Set T1, Confirm
E38 | Accept, Set Limit, Confirm | Accept, Set Limit, Confirm | Accept, Set Limit, Confirm | Accept, Set Limit, Confirm | Accept, Set Limit, Confirm | Accept, Set Limit, Confirm
E39 | Accept, Set TT, Confirm | Accept, Set TT, Confirm | Accept, Set TT, Confirm | Accept, Set TT, Confirm | Accept, Set TT, Confirm | Accept, Set TT, Confirm
E40 | Reject | Reject | Reject | Reject | Reject | Reject
E41 | AD Ready, Look FDU | AD Ready, Look FDU | AD Ready | AD Ready | AD Ready | AD Ready
E42 | Alert LLIF (S6) | Alert LLIF (S6) | Alert LLIF (S6) | Alert LLIF (S6) | Alert LLIF (S6) | Alert LLIF
E43 | BC Ready | BC Ready | BC Ready | BC Ready | BC Ready, Look Directive | BC Ready
E44 | Alert LLIF (S6) | Alert LLIF (S6) | Alert LLIF (S6) | Alert LLIF (S6) | Alert LLIF (S6) | Alert LLIF
E45 | Accept | Accept | Accept | Accept | Accept | Accept
E46 | Reject, Alert LLIF (S6) | Reject, Alert LLIF (S6) | Reject, Alert LLIF (S6) | Reject, Alert LLIF (S6) | Reject, Alert LLIF (S6) | Reject, Alert LLIF
"""  # noqa: E501
ROWS = {row[0]: row[1:] for row in ([c.strip() for c in line.split("|")] for line in TABLE.strip().splitlines())}
CELLS = [(event, s + 1, cell) for event, row in ROWS.items() for s, cell in enumerate(row) if cell != "NA"]

T0, NOW, T1 = 1_000, 5_000, 10_000
FIRST = 253  # the oldest N(S): the numbers wrap within the window
INIT, ASKED, EXPEDITED, VALUE = 100, 200, 300, 0x77


def render(out: list[FopOutput]) -> list[str]:
    """Outputs in short."""
    words = {"ACCEPT": "accept", "REJECT": "reject", "CONFIRM": "confirm", "NEGATIVE_CONFIRM": "deny"}
    lines = []
    for item in out:
        match item:
            case TransmitFrame(_, _, ns, data, _):
                lines.append(f"{item.kind} {data.hex() if item.kind == 'BC' else ns}")
            case Abort(kind):
                lines.append(f"abort {kind}")
            case TransferResponse(request, response):
                lines.append(f"{words[response]} {request}")
            case DirectiveResponse(request, response):
                lines.append(f"directive {words[response]} {request}")
            case Alert(reason, _, _):
                lines.append(f"alert {reason}")
            case Suspended(state):
                lines.append(f"suspended S{state}")
    return lines


def answered(event: str) -> tuple[str, int]:
    """What an Accept or Reject answers: a directive, or a transfer."""
    if event in ("E45", "E46"):
        return "", EXPEDITED
    return ("", ASKED) if event in ("E19", "E20", "E22") else ("directive ", ASKED)


@dataclass
class Model:
    """The standard's words (§5.2) as effects on its variables (§5.1)."""

    state: int
    vs: int = 0
    nnr: int = 0
    sent: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    waiting: int | None = None
    bc: str | None = None
    bc_again: bool = False
    count: int = 1
    deadline: int | None = None
    ss: int = 0
    initiating: int | None = None
    ad_ready: bool = True
    bc_ready: bool = True
    out: list[str] = field(default_factory=list)

    def do(self, word: str, event: str, report: int) -> None:
        """One action. ``report`` is N(R)."""
        match word.split():
            case ["Ignore"]:
                pass
            case ["Accept" | "Reject"]:
                self.out.append(f"{answered(event)[0]}{word.lower()} {answered(event)[1]}")
            case ["Confirm"]:
                pending = event == "E1"
                self.out.append(f"directive confirm {self.initiating if pending else ASKED}")
                self.initiating = None if pending else self.initiating
            case ["Alert", reason]:
                self.deadline = None
                self.purge()
                self.out.append(f"alert {reason}")
            case ["Initialize"]:
                self.purge()
                self.count, self.ss = 1, 0
                self.initiating = None if event == "E23" else ASKED
            case ["Remove"]:
                self.remove(report)
            case ["Transmit", "BD"]:
                self.out.append("BD 0")
            case words:
                self.do_queue(words)

    def do_queue(self, words: list[str]) -> None:
        match words:
            case ["Retransmit", kind]:
                self.out.append(f"abort {kind}")
                self.count += 1
                self.deadline = NOW + T1
                self.again, self.bc_again = list(self.sent), self.bc is not None
            case ["Look", "FDU"]:
                self.look_for_fdu()
            case ["Look", "Directive"]:
                if self.bc_ready and self.bc_again:
                    self.transmit_bc(str(self.bc))
            case ["Add", "to", "Wait"]:
                self.waiting = ASKED
            case ["Transmit", "BC", data]:
                self.count, self.bc = 1, data
                self.transmit_bc(data)
            case ["Release", "BC"]:
                self.bc = None
            case _:
                self.do_set(words)

    def do_set(self, words: list[str]) -> None:
        match words:
            case ["Suspend"]:
                self.out.append(f"suspended S{self.ss}")
            case ["Resume"]:
                self.deadline, self.ss = NOW + T1, 0
            case ["Start", "Timer"]:
                self.deadline = NOW + T1
            case ["Cancel", "Timer"]:
                self.deadline = None
            case ["Set", "V(S)"]:
                self.vs = self.nnr = VALUE
            case ["AD", "Ready"]:
                self.ad_ready = True
            case ["BC", "Ready"]:
                self.bc_ready = True
            case [ss] if ss.startswith("SS="):
                self.ss = int(ss[3:])
            case _:
                assert words[0] == "Set", words

    def remove(self, report: int) -> None:
        while self.nnr != report:
            self.out.append(f"confirm {self.sent.pop(0)}")
            self.nnr = (self.nnr + 1) % 256
            self.count = 1

    def transmit_bc(self, data: str) -> None:
        self.bc_again, self.bc_ready, self.deadline = False, False, NOW + T1
        self.out.append(f"BC {data}")

    def purge(self) -> None:
        self.out += [f"deny {request}" for request in self.sent]
        self.sent, self.nnr = [], self.vs
        if self.waiting is not None:
            self.out.append(f"reject {self.waiting}")
        self.waiting = None
        if self.initiating is not None:
            self.out.append(f"directive deny {self.initiating}")
        self.initiating = self.bc = None

    def look_for_fdu(self) -> None:
        if not self.ad_ready:
            return
        again = [request for request in self.again if request in self.sent]
        if again:
            self.out.append(f"AD {(self.nnr + self.sent.index(again[0])) % 256}")
            self.deadline = NOW + T1
        elif self.waiting is not None and len(self.sent) < 4:
            self.count = self.count if self.sent else 1
            self.out += [f"accept {self.waiting}", f"AD {self.vs}"]
            self.sent.append(self.waiting)
            self.waiting, self.vs, self.deadline = None, (self.vs + 1) % 256, NOW + T1


def settle(fop: Fop1, out: list[FopOutput]) -> None:
    """Lower Procedures that take every frame."""
    while (frame := next((o for o in out if isinstance(o, TransmitFrame)), None)) is not None:
        out = fop.lower_accepted(frame.kind, T0)


def initiate(kind: DirectiveKind) -> Fop1:
    fop = Fop1(window=4, t1=T1, limit=3)
    fop.directive(Directive(1, "SET_V_S", FIRST), T0)
    settle(fop, fop.directive(Directive(INIT, kind), T0))
    return fop


def busy() -> Fop1:
    """S1 with transfers 1 … 4 sent, N(S) 253 … 0, and 5 waiting."""
    fop = initiate("INITIATE")
    for request in range(1, 6):
        settle(fop, fop.transfer(request, b"x", T0))
    return fop


def suspended(state: int) -> Fop1:
    fop = fop_in(state)
    fop.machine.count, fop.machine.timeout_type = 3, 1
    fop.tick(T0 + T1)
    assert fop.status().suspended == state
    fop.machine.count = 1
    return fop


def fop_in(state: int, idle: bool = False) -> Fop1:
    """A FOP-1 in a state: S1 … S3 busy unless ``idle``; what is idle in S2 and S3 has to be forced there."""
    match state:
        case 1 | 2 | 3 if idle:
            fop = initiate("INITIATE")
            fop.machine.state = FopState(state)
        case 1 | 2 | 3:
            fop = busy()
            if state > 1:
                settle(fop, fop.clcw(Clcw(report=FIRST, retransmit=True, wait=state == 3), T0))
        case 4:
            fop = initiate("INITIATE_WITH_CLCW_CHECK")
        case 5:
            fop = initiate("INITIATE_WITH_UNLOCK")
        case _:
            fop = Fop1(window=4, t1=T1, limit=3)
            fop.directive(Directive(1, "SET_V_S", FIRST), T0)
    assert fop.state == state
    return fop


CLCWS = {  # N(R) - NN(R), or None for V(S); wait, retransmit; limit; count
    "E1": (None, False, False, 3, 1),
    "E2": (None, False, False, 3, 1),
    "E3": (None, True, False, 3, 1),
    "E4": (None, False, True, 3, 1),
    "E5": (0, False, False, 3, 1),
    "E6": (2, False, False, 3, 1),
    "E7": (1, True, False, 3, 1),
    "E101": (2, False, True, 1, 1),
    "E102": (0, False, True, 1, 1),
    "E8": (2, False, True, 3, 1),
    "E9": (2, True, True, 3, 1),
    "E10": (0, False, True, 3, 2),
    "E11": (0, True, True, 3, 2),
    "E12": (0, False, True, 3, 3),
    "E103": (0, True, True, 3, 3),
    "E13": (250, False, False, 3, 1),
}
TIMERS = {"E16": (3, 2, 0), "E104": (3, 2, 1), "E17": (3, 3, 0), "E18": (3, 3, 1)}
DIRECTIVES: dict[str, tuple[DirectiveKind, int]] = {
    "E23": ("INITIATE", 0),
    "E24": ("INITIATE_WITH_CLCW_CHECK", 0),
    "E25": ("INITIATE_WITH_UNLOCK", 0),
    "E26": ("INITIATE_WITH_UNLOCK", 0),
    "E27": ("INITIATE_WITH_SET_V_R", VALUE),
    "E28": ("INITIATE_WITH_SET_V_R", VALUE),
    "E29": ("TERMINATE", 0),
    "E30": ("RESUME", 0),
    "E31": ("RESUME", 0),
    "E32": ("RESUME", 0),
    "E33": ("RESUME", 0),
    "E34": ("RESUME", 0),
    "E35": ("SET_V_S", VALUE),
    "E36": ("SET_WINDOW", VALUE),
    "E37": ("SET_T1", VALUE),
    "E38": ("SET_LIMIT", VALUE),
    "E39": ("SET_TIMEOUT_TYPE", 1),
    "E40": ("SET_LIMIT", 0),
}
LOWER: dict[str, FrameKind] = {"E41": "AD", "E42": "AD", "E43": "BC", "E44": "BC", "E45": "BD", "E46": "BD"}


def prepare(event: str, state: int) -> Fop1:
    """A FOP-1 in the state, with whatever else the event needs."""
    if state == 6 and (event in CLCWS or event in ("E14", "E15")):
        fop = suspended(1)
    elif event in ("E31", "E32", "E33", "E34"):
        fop = suspended(int(event[1:]) - 30)
    else:
        fop = fop_in(state, idle=event in ("E1", "E19"))
    machine = fop.machine
    if event == "E19" or (event in DIRECTIVES and state == 6):
        machine.count = 2
    adjust(fop, event, state)
    return fop


def adjust(fop: Fop1, event: str, state: int) -> None:
    machine = fop.machine
    if event in CLCWS:
        machine.limit, machine.count = CLCWS[event][3:]
        if event == "E1" and state == 6:
            machine.sent.clear()
            machine.nnr = machine.vs
    elif event in TIMERS:
        machine.limit, machine.count, machine.timeout_type = TIMERS[event]
    elif event == "E20" and state == 6:
        machine.waiting = (5, b"x")
    elif event in LOWER and event not in ("E45", "E46"):
        machine.ready[LOWER[event]] = False
    elif event in ("E22", "E45", "E46"):
        fop.transfer(EXPEDITED, b"x", T0, bypass=True)
    elif event in ("E26", "E28"):
        machine.ready["BC"] = False


def model_of(fop: Fop1) -> Model:
    machine = fop.machine
    first = machine.sent[0].frame if machine.sent else None
    return Model(
        state=machine.state,
        vs=machine.vs,
        nnr=machine.nnr,
        sent=list(fop.status().sent),
        waiting=machine.waiting[0] if machine.waiting else None,
        bc=first.data.hex() if first is not None and first.kind == "BC" else None,
        count=machine.count,
        deadline=machine.deadline,
        ss=machine.suspended or 0,
        initiating=machine.initiating.request if machine.initiating else None,
        ad_ready=machine.ready["AD"],
        bc_ready=machine.ready["BC"],
    )


def stimulate(fop: Fop1, event: str) -> tuple[list[FopOutput], int]:
    """Lets the event happen. Returns the outputs, and N(R) where there was one."""
    status = fop.status()
    if event in CLCWS:
        ahead, wait, retransmit, _, _ = CLCWS[event]
        report = status.vs if ahead is None else (status.nnr + ahead) % 256
        return fop.clcw(Clcw(report=report, wait=wait, retransmit=retransmit), NOW), report
    if event in TIMERS:
        assert status.deadline == T0 + T1
        fop.machine.deadline = NOW
        return fop.tick(NOW), 0
    if event in DIRECTIVES:
        kind, value = DIRECTIVES[event]
        return fop.directive(Directive(ASKED, kind, value), NOW), 0
    if event in LOWER:
        accepted = int(event[1:]) % 2 == 1
        return (fop.lower_accepted if accepted else fop.lower_rejected)(LOWER[event], NOW), 0
    others: dict[str, Callable[[], list[FopOutput]]] = {
        "E14": lambda: fop.clcw(Clcw(lockout=True), NOW),
        "E15": lambda: fop.invalid_clcw(NOW),
        "E19": lambda: fop.transfer(ASKED, b"x", NOW),
        "E20": lambda: fop.transfer(ASKED, b"x", NOW),
        "E21": lambda: fop.transfer(ASKED, b"x", NOW, bypass=True),
        "E22": lambda: fop.transfer(ASKED, b"x", NOW, bypass=True),
    }
    return others[event](), 0


@pytest.mark.parametrize(("event", "state", "cell"), CELLS)
def test_table_5_1(event: str, state: int, cell: str) -> None:
    actions, _, after = cell.rstrip(")").partition(" (S") if cell.endswith(")") and " (S" in cell else (cell, "", "")
    fop = prepare(event, state)
    model = model_of(fop)
    if event in TIMERS:
        model.deadline = None
    out, report = stimulate(fop, event)
    for word in actions.split(", "):
        model.do(word, event, report)
    assert render(out) == model.out
    status = fop.status()
    assert status.state == int(after or state)
    assert (status.vs, status.nnr, status.transmissions) == (model.vs, model.nnr, model.count)
    assert (list(status.sent), status.waiting) == (model.sent, model.waiting)
    assert (status.deadline, status.suspended or 0) == (model.deadline, model.ss)
    assert [(a.event, a.state) for a in out if isinstance(a, Alert)] in ([], [(int(event[1:]), state)])


def test_every_event_has_its_row() -> None:
    assert set(ROWS) == {f"E{n}" for n in (*range(1, 47), *range(101, 105))}
    assert all(len(row) == 6 for row in ROWS.values())


@pytest.mark.parametrize("state", [4, 5])
def test_what_is_not_applicable_while_initialising_cannot_happen(state: int) -> None:
    allowed = {"E1", "E3", "E4", "E13", "E14"}
    seen = {
        f"E{fop_in(state).clcw_event(Clcw(report=n, wait=w, retransmit=r, lockout=lock))}"
        for n in range(256)
        for w in (False, True)
        for r in (False, True)
        for lock in (False, True)
    }
    assert seen == allowed


def test_even_after_an_alert_nothing_is_outstanding() -> None:
    fop = busy()
    fop.clcw(Clcw(lockout=True), NOW)
    assert fop.status().nnr == fop.status().vs
    fop.directive(Directive(INIT, "INITIATE_WITH_CLCW_CHECK"), NOW)
    assert render(fop.clcw(Clcw(report=fop.status().vs), NOW)) == [f"directive confirm {INIT}"]


@pytest.mark.parametrize("state", [1, 2, 3, 4])
def test_set_v_s_is_rejected_while_suspended(state: int) -> None:
    assert render(suspended(state).directive(Directive(ASKED, "SET_V_S", 7), NOW)) == [f"directive reject {ASKED}"]


def test_terminating_a_suspended_service_keeps_what_resume_needs() -> None:
    fop = suspended(1)
    assert render(fop.directive(Directive(ASKED, "TERMINATE"), NOW)) == [
        f"directive accept {ASKED}",
        f"directive confirm {ASKED}",
    ]
    assert fop.status().sent == (1, 2, 3, 4)


def test_initiating_a_suspended_service_again_reports_losses() -> None:
    fop = suspended(1)
    assert render(fop.directive(Directive(ASKED, "INITIATE"), NOW)) == [
        f"directive accept {ASKED}",
        "deny 1",
        "deny 2",
        "deny 3",
        "deny 4",
        "reject 5",
        f"directive confirm {ASKED}",
    ]


def test_a_suspended_initiation_is_answered_when_another_takes_its_place() -> None:
    fop = suspended(4)
    assert f"directive deny {INIT}" in render(fop.directive(Directive(ASKED, "INITIATE"), NOW))


def test_a_suspended_initiation_is_confirmed_after_resume() -> None:
    fop = suspended(4)
    fop.directive(Directive(ASKED, "RESUME"), NOW)
    assert render(fop.clcw(Clcw(report=FIRST), NOW)) == [f"directive confirm {INIT}"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("INITIATE_WITH_SET_V_R", 256),
        ("SET_V_S", -1),
        ("SET_WINDOW", 0),
        ("SET_WINDOW", 256),
        ("SET_T1", 0),
        ("SET_LIMIT", 0),
        ("SET_LIMIT", 256),
        ("SET_TIMEOUT_TYPE", 2),
    ],
)
def test_a_directive_with_a_value_that_cannot_be_is_rejected(kind: DirectiveKind, value: int) -> None:
    fop = fop_in(6)
    before = fop.status()
    assert render(fop.directive(Directive(ASKED, kind, value), NOW)) == [f"directive reject {ASKED}"]
    assert fop.status() == before


def test_parameters_that_cannot_be() -> None:
    for wrong in ({"window": 0}, {"t1": 0}, {"limit": 0}, {"timeout_type": 2}):
        with pytest.raises(DeclarationError, match=rf"fop1\.{next(iter(wrong))}"):
            Fop1(**wrong)


def test_the_setters_set() -> None:
    fop = fop_in(6)
    for event in ("E36", "E37", "E38", "E39"):
        stimulate(fop, event)
    status = fop.status()
    assert (status.window, status.t1, status.limit, status.timeout_type) == (VALUE, VALUE, VALUE, 1)


def test_another_channels_clcw_is_not_looked_at() -> None:
    fop = busy()
    before = fop.status()
    assert fop.clcw(Clcw(vcid=1, lockout=True), NOW) == []
    assert fop.status() == before


@pytest.mark.parametrize("kind", ["AD", "BC", "BD"])
def test_an_unexpected_answer_is_ignored(kind: FrameKind) -> None:
    fop = busy()
    assert fop.lower_accepted(kind, NOW) == []
    assert fop.lower_rejected(kind, NOW) == []
    assert fop.state == 1


def test_after_a_rejected_frame_the_next_may_come() -> None:
    fop = initiate("INITIATE")
    fop.transfer(1, b"x", NOW)
    assert render(fop.lower_rejected("AD", NOW)) == ["deny 1", "alert LLIF"]
    fop.directive(Directive(INIT, "INITIATE"), NOW)
    assert render(fop.transfer(2, b"x", NOW)) == ["accept 2", f"AD {(FIRST + 1) % 256}"]


def test_the_window_holds_back_what_does_not_fit_it() -> None:
    fop = busy()
    assert render(fop.transfer(6, b"x", NOW)) == ["reject 6"]
    assert render(fop.clcw(Clcw(report=FIRST + 1), NOW)) == ["confirm 1", "accept 5", "AD 1"]


def test_frames_go_out_again_one_by_one_as_the_lower_procedures_take_them() -> None:
    fop = busy()
    out = render(fop.clcw(Clcw(report=FIRST, retransmit=True), NOW))
    for _ in range(5):
        out += render(fop.lower_accepted("AD", NOW))
    assert out == ["abort AD", "AD 253", "AD 254", "AD 255", "AD 0"]


def test_the_timer_is_a_deadline() -> None:
    fop = busy()
    assert fop.deadline == T0 + T1
    assert fop.tick(T0 + T1 - 1) == []
    assert render(fop.tick(T0 + T1)) == ["abort AD", "AD 253"]
    assert fop.deadline == T0 + T1 + T1


def test_a_timer_that_expired_in_s3_is_started_again_with_s1() -> None:
    fop = fop_in(3)
    fop.machine.waiting = None
    assert fop.tick(T0 + T1) == []
    assert fop.deadline is None
    assert render(fop.clcw(Clcw(report=FIRST + 2), NOW)) == ["confirm 1", "confirm 2"]
    status = fop.status()
    assert (status.state, status.sent) == (1, (3, 4))
    assert status.deadline == NOW + T1


def test_a_control_command_is_repeated_up_to_the_limit() -> None:
    fop = initiate("INITIATE_WITH_UNLOCK")
    for _ in range(2):
        assert render(fop.tick(fop.deadline or 0)) == ["abort BC", "BC 00"]
        fop.lower_accepted("BC", NOW)
    assert render(fop.tick(fop.deadline or 0)) == [f"directive deny {INIT}", "alert T1"]


ACTS = st.one_of(
    st.tuples(st.just("transfer"), st.booleans()),
    st.tuples(st.just("directive"), st.sampled_from(sorted(DIRECTIVES.values()))),
    st.tuples(st.just("clcw"), st.builds(Clcw, report=st.integers(0, 9), lockout=st.booleans(), wait=st.booleans())),
    st.tuples(st.just("clcw"), st.builds(Clcw, report=st.integers(0, 9), retransmit=st.booleans())),
    st.tuples(st.just("accept"), st.sampled_from(["AD", "BC", "BD"])),
    st.tuples(st.just("accept"), st.just("AD")),
    st.tuples(st.just("reject"), st.sampled_from(["AD", "BC", "BD"])),
    st.tuples(st.just("tick"), st.integers(0, 30)),
)


def act(fop: Fop1, name: str, what: Any, request: int, now: int) -> list[FopOutput]:
    match name, what:
        case "transfer", bool(bypass):
            return fop.transfer(request, b"x", now, bypass=bypass)
        case "directive", (kind, value):
            return fop.directive(Directive(request, kind, value), now)
        case "clcw", Clcw() as clcw:
            return fop.clcw(clcw, now)
        case "accept", ("AD" | "BC" | "BD") as kind:
            return fop.lower_accepted(kind, now)
        case "reject", ("AD" | "BC" | "BD") as kind:
            return fop.lower_rejected(kind, now)
    return fop.tick(now)


@given(st.lists(st.one_of(ACTS), max_size=60))
def test_any_events_in_any_order(acts: list[tuple[str, object]]) -> None:
    fop = Fop1(window=3, t1=T1)
    now = 0
    answers: dict[int, list[str]] = {}
    for request, (name, what) in enumerate(acts):
        now += T1 // 2 if name == "tick" else 1
        for item in act(fop, name, what, request, now):
            if isinstance(item, TransferResponse | DirectiveResponse):
                answers.setdefault(item.request, []).append(item.response)
        status = fop.status()
        assert len(status.sent) <= 255
        if status.state in (1, 2) and status.sent:
            assert status.deadline is not None
        if status.sent:
            assert len(status.sent) == (status.vs - status.nnr) % 256
    last = [["REJECT"], ["ACCEPT"], ["ACCEPT", "CONFIRM"], ["ACCEPT", "NEGATIVE_CONFIRM"]]
    assert all(answer in last for answer in answers.values())
