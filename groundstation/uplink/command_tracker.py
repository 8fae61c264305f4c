"""Tracks the state of every command, and what may change it. Sans-I/O; bounded.

Rules:
1. The spacecraft's report is final: completion or failure ends a command, whatever its state was before.
2. What was given up here (FAILED, TIMEOUT) may be overtaken by a late report.
3. Every change is published, in the order in which it became true.
4. What the spacecraft reports or acknowledges was sent: its report may be here before the link's confirmation, which
   comes from another thread. Then the report makes the command SENT, and the link's confirmation changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from groundstation.messages.base import Value
from groundstation.messages.commanding import FINAL_STATES, CommandState, CommandUpdate
from protocols.declare.commands import Command

KEPT = 200
_ACCEPTED = 1
_COMPLETED = 7


@dataclass(slots=True, eq=False)
class TrackedCommand:
    """A command and all that is needed to send it.

    Attributes:
        update: its state, as last published.
        values: its arguments, in their units.
        deadline: when it is given up, in ns.
        repeats: how often it may still be sent again as a new packet.
        transfers: FOP-1's, of all attempts; ``requests`` likewise their PUS request ids.
        report_due: when to send it again because no report came; None: not now.
        settled: the spacecraft has reported completion or failure.
    """

    update: CommandUpdate
    command: Command
    values: dict[str, Value]
    deadline: int
    repeats: int
    transfers: list[int] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    report_due: int | None = None
    settled: bool = False

    @property
    def over(self) -> bool:
        """Nothing more is done for it."""
        return self.update.state in FINAL_STATES


class CommandTracker:
    """All commands of a station, the last ones by number."""

    def __init__(self, publish: Callable[[CommandUpdate], None]) -> None:
        """Args: the receiver of every change."""
        self._publish = publish
        self._entries: dict[int, TrackedCommand] = {}
        self._last = 0

    @property
    def live(self) -> list[TrackedCommand]:
        """Those that are not over, oldest first."""
        return [entry for entry in self._entries.values() if not entry.over]

    def open(
        self,
        command: Command,
        values: dict[str, Value],
        who: str,
        now: int,
        *,
        timeout: int,
        bypass: bool = False,
        repeats: int = 0,
    ) -> TrackedCommand:
        """A new command, QUEUED."""
        self._last += 1
        definition = command.definition
        update = CommandUpdate(
            command=self._last,
            name=definition.name,
            arguments=values,
            who=who,
            state="QUEUED",
            previous=None,
            ert=now,
            critical=definition.critical,
            bypass=bypass,
        )
        entry = TrackedCommand(update, command, values, now + timeout, repeats)
        self._entries[self._last] = entry
        self._forget()
        self._publish(update)
        return entry

    def of_transfer(self, transfer: int) -> TrackedCommand | None:
        """The command that FOP-1 knows by this number."""
        return next((entry for entry in self._entries.values() if transfer in entry.transfers), None)

    def of_request(self, request: int) -> TrackedCommand | None:
        """The newest command with this PUS request id."""
        return next((entry for entry in reversed(self._entries.values()) if request in entry.requests), None)

    def sent(self, entry: TrackedCommand, transfer: int, now: int) -> None:
        """The link took the frame of one of its transfers."""
        self._sent(entry, entry.transfers.index(transfer) + 1, now)

    def delivered(self, entry: TrackedCommand, transfer: int, now: int) -> None:
        """A CLCW acknowledged the frame of one of its transfers."""
        self.sent(entry, transfer, now)
        if not entry.update.delivered:
            self._change(entry, now, delivered=True)

    def give_up(self, entry: TrackedCommand, state: CommandState, detail: str, now: int) -> None:
        """End it from here: FAILED or TIMEOUT."""
        entry.report_due = None
        if not entry.over:
            self._change(entry, now, state=state, detail=detail)

    def reported(
        self, entry: TrackedCommand, request: int, subtype: int, values: Mapping[str, Value | None], now: int
    ) -> None:
        """A verification report of PUS service 1 came, for one of its requests."""
        if entry.settled:
            return
        self._sent(entry, entry.requests.index(request) + 1, now)
        late = f"reported after {entry.update.state}" if entry.over else ""
        tick = values.get("tick")
        fields: dict[str, Any] = {"tick": tick if isinstance(tick, int) else None}
        if entry.update.request is None:  # given up before anyone knew that it was sent
            fields |= {"request": request}
        if subtype == _ACCEPTED:
            if entry.update.state != "ACCEPTED":
                self._change(entry, now, state="ACCEPTED", detail=late, **fields)
            return
        entry.settled, entry.report_due = True, None
        if subtype == _COMPLETED:
            self._change(entry, now, state="COMPLETED", detail=late, **fields)
        else:
            detail = f"the spacecraft says {values.get('failure', 'failed')}"
            self._change(entry, now, state="FAILED", detail=f"{detail}, {late}" if late else detail, **fields)

    def _sent(self, entry: TrackedCommand, attempt: int, now: int) -> None:
        if entry.over or (entry.update.state != "QUEUED" and attempt <= entry.update.attempt):
            return
        again = {} if entry.update.state == "QUEUED" else {"detail": "sent again"}
        state = "SENT" if entry.update.state == "QUEUED" else entry.update.state
        self._change(entry, now, state=state, request=entry.requests[attempt - 1], attempt=attempt, **again)

    def _change(self, entry: TrackedCommand, now: int, **fields: Any) -> None:
        previous = entry.update.state
        entry.update = msgspec.structs.replace(entry.update, previous=previous, ert=now, **{"detail": "", **fields})
        self._publish(entry.update)

    def _forget(self) -> None:
        excess = len(self._entries) - KEPT
        over = [number for number, entry in self._entries.items() if entry.over]
        for number in over[: max(0, excess)]:
            del self._entries[number]
