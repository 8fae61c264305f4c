"""What came of each fault: a row of the judgement that says what was planned, how often it acted, and on which bytes.

A fault that never acted has tested nothing, and a run with one does not pass. For some it hangs on chance what they do:
those had to have bytes in their window, and may have left them alone.
"""

from __future__ import annotations

from groundstation.formats.counted import counted
from groundstation.messages.text import utc
from hil.faults import At, EnvironmentFault, Spec, Watch
from hil.verdict.flight_record import FlightRecord
from hil.verdict.limits import LimitBand, band_of, not_applicable, row
from hil.verdict.result import Measurement

ACTED = LimitBand(least=1)


def fault_rows(record: FlightRecord) -> list[Measurement]:
    """A row for each fault of the scenario; its note says what it did."""
    return [_row(record, n, fault) for n, fault in enumerate(record.scenario.faults)]


def _row(record: FlightRecord, n: int, fault: Spec) -> Measurement:
    channel = record.channel_of(fault.relay)
    log, exposed = channel.log, channel.exposed(n)
    done = sum(each.fault == n for each in record.occurrences)
    acted = done if isinstance(fault, EnvironmentFault) else log.counts[n]
    touched = [f"{log.touched[n, effect]:,} bytes {effect}" for effect in ("lost", "changed", "added", "held")]
    did = ", ".join(text for text in touched if not text.startswith("0 "))
    window = "" if isinstance(fault, EnvironmentFault) else f" on {counted(exposed, 'byte')} in its window"
    watch = record.triggers.faults.get(n)
    note = f"planned {planned(fault.at) if watch is None else watch.text}; acted {counted(acted, 'time')}{window}" + (
        f": {did}" if did else ""
    )
    by_chance = fault.by_chance and exposed > 0
    name = f"fault[{n}] {fault.kind}" + (f" on {fault.relay}" if fault.relay else "")
    if not acted and (why := _not_flown(record, fault.at, watch)):
        return not_applicable(name, why)
    own = band_of(name, record.mode, record.target, record.scenario.limits)
    judged = row(name, acted, own if own != LimitBand() else LimitBand(least=0) if by_chance else ACTED, note)
    return judged.with_note(note)


def _not_flown(record: FlightRecord, at: At | None, watch: Watch | None) -> str:
    """Why a fault did not come to act in the part of the pass that was flown; empty: it had to."""
    part = record.scenario.head.part
    if part.cut and watch is not None and watch.fired is None:
        return f"the flight ended{part.text}: {watch.text}"
    if at is None or not part.cut:
        return ""
    if at.kind == "scet":
        return part.lack(max(part.start, int(at.value)))
    return f"the flight ended{part.text}, before its {at.kind} came"


def planned(at: At | None) -> str:
    """Where a fault begins, in words."""
    if at is None:
        return "from the start"
    if at.kind == "scet":
        return f"at {utc(int(at.value), 3)}"
    return f"at {at.kind} {at.value}" if at.kind == "event" else f"at {at.kind} {int(at.value):,}"
