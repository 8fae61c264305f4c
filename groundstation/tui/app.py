"""The application: it owns time, keys and signals, and folds what the source brings into the model."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from rich.console import RenderableType
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen, ScreenResultType

from groundstation.errors import CallerError, StationError, ViewerCrashed
from groundstation.formats.output import echo
from groundstation.formats.output_file import write_numbered
from groundstation.host.clock import host_clock
from groundstation.host.hangup import EXIT_HANGUP, Deadline, EndSignals
from groundstation.messages.commanding import RequestAccepted
from groundstation.messages.text import utc
from groundstation.messages.wire import History, HistoryRequest, PlaybackStatus, Refusal, ReplayControl, Snapshot
from groundstation.tui.command_screen import CommandScreen, Ordered
from groundstation.tui.descent import DescentScreen
from groundstation.tui.diagnostics import diagnostics
from groundstation.tui.drawing.glyphs import ASCII, UNICODE, ascii_wanted
from groundstation.tui.drawing.theme import styles
from groundstation.tui.entry import order_of
from groundstation.tui.help import HelpScreen
from groundstation.tui.painter import Painter
from groundstation.tui.panels.replay import BINDINGS as REPLAY_BINDINGS
from groundstation.tui.panels.replay import faster, pause_or_play
from groundstation.tui.panels.rows import View
from groundstation.tui.prompt import PromptScreen
from groundstation.tui.relays_screen import RelaysScreen
from groundstation.tui.terminal.driver import TerminalDriver
from groundstation.viewer.flight import Key
from groundstation.viewer.model import PassModel
from groundstation.viewer.requests import AnyOrder, RequestFactory, who_am_i
from groundstation.viewer.source import MessageSource, StationBack, StationLost, Update

PLOTS_EVERY_S = 0.5
NOTICE_S = 3.0
HISTORY_TIMEOUT_S = 20.0
"""Curves are some 15 kB, and the line may be slow."""

_VIEW_KEYS = 9
_BREATH = 64
_MOVES = 64


class StationApp(App[int]):
    """Shows one station. Its result is the exit code."""

    ENABLE_COMMAND_PALETTE = False
    INLINE_PADDING = 0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+q", "leave", "Quit", priority=False),
        Binding("question_mark", "help", "Help"),
        Binding("colon,c", "command", "Command", priority=True),
        Binding("a", "acknowledge", "Ack"),
        Binding("space", "hold", "Hold"),
        *(Binding(str(key), f"view({key})", f"View {key}") for key in range(1, _VIEW_KEYS + 1)),
        Binding("p", "plots", "Plots"),
        Binding("v", "verdict", "Verdict"),
        Binding("t", "timeline", "Timeline"),
        Binding("r", "relays", "Relays"),
        Binding("j,down", "scroll(1)", "Down"),
        Binding("k,up", "scroll(-1)", "Up"),
        Binding("pagedown", "scroll(10)", "Page down"),
        Binding("pageup", "scroll(-10)", "Page up"),
        Binding("y", "copy", "Copy"),
        Binding("s", "screenshot", "SVG"),
        Binding("ctrl+z", "suspend_process", "Suspend", priority=True),
        *(Binding(*each, priority=each[1] == "go") for each in REPLAY_BINDINGS),
    ]

    def __init__(
        self,
        source: MessageSource,
        *,
        ascii_only: bool = False,
        clock: Callable[[], int] = host_clock,
        who: str | None = None,
    ) -> None:
        """``clock`` gives host nanoseconds; tests bring their own. ``who`` sends the requests, by default this user."""
        super().__init__(driver_class=TerminalDriver)
        self.model = PassModel()
        self.error: StationError | None = None
        self.crashed = False
        self.end_code: int | None = None
        self.ended = False
        self._source, self._clock = source, clock
        self._orderer = RequestFactory(who or who_am_i(), clock)
        self._glyphs = ASCII if ascii_only else UNICODE
        self._styles = styles(colour=not self.no_color)
        self._held: View | None = None
        self._moves: asyncio.Queue[Callable[[PlaybackStatus], ReplayControl]] = asyncio.Queue(_MOVES)
        self._marked = False
        self._jumps = 0
        self._restarted_at: int | None = None
        self._alarms = 0
        self._plots_due = 0.0
        self._notice_until = 0.0
        self.painter = Painter(self._paint, ready=self._terminal_is_ready)
        self._ready_loop: asyncio.AbstractEventLoop | None = None
        self._descent = DescentScreen(self._styles, self._glyphs, self._live_view, self._shown_view)

    def now(self) -> int:
        """Host nanoseconds by this application's clock."""
        return self._clock()

    @property
    def _front(self) -> Screen[object] | None:
        """The screen in front; None while the application closes: its timers and workers outlive its screens."""
        stack = self.screen_stack
        return stack[-1] if stack else None

    async def on_mount(self) -> None:
        """Start to listen."""
        if self.no_color:
            self.theme = "ansi-dark"
        await self.push_screen(self._with_theme(self._descent))
        self.run_worker(self.painter.run(), group="paint")
        self.run_worker(self._receive(), group="receive")
        self.run_worker(self._steer(), group="steer")
        self._ready_loop = asyncio.get_running_loop()
        if self.end_code is not None:
            self.exit(self.end_code)

    def end(self, code: int) -> None:
        """Leave with an exit code: from a signal handler, from any thread, at any moment.

        Textual cannot leave before its first screen stands: until then the code is only noted.
        """
        self.end_code = code
        if self._ready_loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
                self._ready_loop.call_soon_threadsafe(self.exit, code)

    def give_up(self, code: int) -> None:
        """End the process: this application did not in time."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.abandon()
        os._exit(code)

    def panic(self, *renderables: RenderableType) -> None:
        """Textual's way to end after an error in one of its threads, which it does not count as one."""
        self.crashed = True
        super().panic(*renderables)

    # ------------------------------------------------------------------------------------------- reception

    async def _receive(self) -> None:
        try:
            self.apply(StationBack(await self._source.connect()))
            count = 0
            async for update in self._source.messages():
                self.apply(update)
                count += 1
                if count % _BREATH == 0:
                    await asyncio.sleep(0)
            self._end()
        except StationError as error:
            self.error = error
            self.exit(error.exit_code)
        finally:
            await self._source.close()

    def _joined(self, snapshot: Snapshot) -> None:
        """The station is there, or there again."""
        self.model.apply(snapshot, self._clock())
        if self.model.restarted_at != self._restarted_at:
            self._restarted_at = self.model.restarted_at
            self._notify(f"Station {snapshot.station} was started again: what it knew before is stale.")
        self.run_worker(self._load_history(), group="history", exclusive=True)

    async def _load_history(self) -> None:
        """The curves so far, after everything else: a viewer that joins late has not seen them."""
        sent = await self._source.clock()
        if sent is not None:
            self.model.compare_clocks(sent, self._clock())
        first = self.model.plotted
        with contextlib.suppress(StationError):  # then they begin here
            for keys in (first, [key for key in self.model.curves if key not in first]):
                await self._load_curves(keys)

    async def _load_curves(self, keys: list[Key]) -> None:
        if keys:
            answer = await self._source.request(HistoryRequest(parameters=keys), HISTORY_TIMEOUT_S)
            if isinstance(answer, History):
                self.model.flight.load(answer)
                self._descent.paint_plots()

    def apply(self, update: Update) -> None:
        """Take an update into the model, and let it be painted."""
        if isinstance(update, StationLost):
            self.model.station_lost(update.since_ns)
        elif isinstance(update, StationBack):
            self._joined(update.snapshot)
        else:
            self.model.apply(update, self._clock())
        if self.model.alarms != self._alarms:
            self._alarm()
        if self.model.replay != self._marked:
            self._mark()
        if self.model.playback is not None and self.model.playback.jumps != self._jumps:
            self._jumps = self.model.playback.jumps
            self.painter.defer()  # not the empty screen between two places, but what follows it at once
        self.painter.soon()

    def _end(self) -> None:
        self.ended = True
        self.model.station_lost(self._clock())
        self._notify("The station ended. What it sent stays on the screen; q quits.")

    def _alarm(self) -> None:
        """A loss must be seen and heard: what lies over the descent goes, unless it shows the loss itself."""
        self._alarms = self.model.alarms
        if isinstance(self._front, HelpScreen | PromptScreen | RelaysScreen):
            self.pop_screen()
        self.bell()

    def _mark(self) -> None:
        """A replay has its own borders, on every screen."""
        self._marked = self.model.replay
        self._styles = styles(colour=not self.no_color, replay=self._marked)
        for screen in self.screen_stack:
            if isinstance(screen, DescentScreen | CommandScreen):
                screen.apply_styles(self._styles)

    def _with_theme(self, screen: Screen[ScreenResultType]) -> Screen[ScreenResultType]:
        screen.set_class(self.no_color, "nocolour")
        return screen

    # ------------------------------------------------------------------------------------------- painting

    def _live_view(self) -> View:
        now = self._clock()
        return View(self.model, now, self._glyphs, None if self._held is None else now - self._held.now)

    def _shown_view(self) -> View:
        live = self._live_view()
        return live if self._held is None else replace(self._held, held_ns=live.held_ns)

    def _terminal_is_ready(self) -> bool:
        return not isinstance(self._driver, TerminalDriver) or self._driver.ready

    def _paint(self) -> None:
        """Everything that is seen; the plots, which are dearer, not each time."""
        now = time.monotonic()
        if isinstance(self._driver, TerminalDriver) and self._driver.mend():
            self.refresh()
        if self._notice_until and now > self._notice_until:
            self._notice_until = 0.0
            self._descent.show_notice("")
        self._descent.paint()
        if now >= self._plots_due:
            self._plots_due = now + PLOTS_EVERY_S
            self._descent.paint_plots()
        if isinstance(self._front, CommandScreen):
            self._front.paint()

    def _notify(self, text: str) -> None:
        self._notice_until = time.monotonic() + NOTICE_S
        self._descent.show_notice(text)

    # ------------------------------------------------------------------------------------------- keys

    def action_leave(self) -> None:
        """Quit the viewer."""
        self.exit(0)

    def action_help(self) -> None:
        """Keys and symbols."""
        self.push_screen(HelpScreen(self._styles, self._glyphs, self.model.views, replay=self.model.replay))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What opens a line to type into acts before other keys are looked at: they are typed into it.

        So it must not act where something is being typed already.
        """
        return action not in ("command", "go") or isinstance(self._front, DescentScreen)

    async def action_command(self) -> None:
        """The command screen."""
        await self.push_screen(self._with_theme(CommandScreen(self._styles, self._glyphs, self._live_view)))

    def action_acknowledge(self) -> None:
        """Acknowledge the losses that are shown, for all viewers: the station says whether that is so."""
        until = self.model.open_until
        if until is None:
            replay = "A recording has no alarm to acknowledge." if self.model.replay else "Nothing to acknowledge."
            self._notify(replay)
        else:
            self.run_worker(self._acknowledge(until), group="orders")

    async def _acknowledge(self, until: int) -> None:
        answer = await self._ask(self._orderer.acknowledge(until))
        if isinstance(answer, RequestAccepted):
            self.model.acknowledged(until, self._orderer.who)
        self._notify(answer.text)
        self.painter.now()

    def action_hold(self) -> None:
        """Freeze what is shown, or go on; reception never stops. A replay itself is paused."""
        if self.model.playback is not None and self._held is None:
            self._move(pause_or_play)
            return
        if self._held is None:
            self._held = View(copy.deepcopy(self.model), self._clock(), self._glyphs)
        else:
            self._held = None
        self._descent.paint_all()

    def action_view(self, key: int) -> None:
        """The view of a key."""
        views = self.model.views
        if key > len(views):
            self._notify(f"No view {key}: {', '.join(f'{n} {view.name}' for n, view in enumerate(views, 1))}.")
        else:
            self._descent.show_view(key - 1)

    def action_plots(self) -> None:
        """Plots instead of values, and back."""
        self._descent.toggle_plots()

    def action_timeline(self) -> None:
        """The next scale of the timeline: the pass, the day around it, the whole mission."""
        scale = self._descent.zoom_timeline()
        shown = {
            "moment": "a minute before and after the mission clock",
            "pass": "the pass",
            "day": "the day around it",
            "mission": "the whole mission",
        }
        self._notify(f"Timeline: {shown[scale]}.")

    def action_relays(self) -> None:
        """The relays of the mission, and the links of the station."""
        self.push_screen(RelaysScreen(self._styles, self._live_view))

    def action_verdict(self) -> None:
        """The verdict of the last loss of signal, also after it was acknowledged; and back."""
        if self.model.last_loss() is None:
            self._notify("No signal was lost so far.")
        else:
            self._descent.toggle_verdict()

    def action_scroll(self, rows: int) -> None:
        """Scroll the telemetry."""
        self._descent.scroll_telemetry(rows)

    def action_copy(self) -> None:
        """Diagnostics to the clipboard (OSC 52)."""
        self.copy_to_clipboard(diagnostics(self._live_view()))
        self._notify("Diagnostics copied to the clipboard.")

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Save the screen as a new SVG file, in the working directory unless told otherwise."""
        clock = utc(self.model.clock or self._clock(), 0).replace(":", "")
        target = Path(path or ".") / (filename or f"{'replay' if self.model.replay else 'descent'}-{clock}.svg")
        try:
            saved = write_numbered(target, self.export_screenshot(title="Mars 6 ground station").encode())
        except OSError as error:
            self._notify(f"Not saved: {error}")
        else:
            self._notify(f"Saved {saved}")

    # ------------------------------------------------------------------------------------------- orders

    def on_ordered(self, message: Ordered) -> None:
        """The user ordered something on the command screen."""
        self.run_worker(self._order(message), group="orders")

    async def _order(self, message: Ordered) -> None:
        answer = await self._ask(order_of(message.draft, self._orderer))
        if isinstance(self._front, CommandScreen):
            self._front.answered(typed_here(answer.text), taken=isinstance(answer, RequestAccepted))
        else:
            self._notify(typed_here(answer.text))

    async def _ask(self, message: AnyOrder) -> RequestAccepted | Refusal:
        try:
            answer = await self._source.request(message)
        except StationError as error:
            return Refusal(text=f"no answer, it may have been taken: {error}")
        return (
            answer
            if isinstance(answer, RequestAccepted | Refusal)
            else Refusal(text="unexpected answer: not a station")
        )

    def action_skip(self, seconds: int) -> None:
        """On in a replay, or back."""
        self._move(lambda _: ReplayControl(action="skip", seconds=seconds))

    def action_step(self, frames: int) -> None:
        """By frames through a replay."""
        self._move(lambda _: ReplayControl(action="step", frames=frames))

    def action_speed(self, steps: int) -> None:
        """A replay faster, or slower."""
        self._move(lambda playback: ReplayControl(action="speed", speed=faster(playback.speed, steps)))

    def action_move(self, where: Literal["next", "previous", "loss"]) -> None:
        """To what was recorded."""
        self._move(lambda _: ReplayControl(action=where))

    async def action_go(self) -> None:
        """To a time that the user types."""
        if self.model.playback is not None:
            await self.push_screen(PromptScreen(self._styles, "Go to UTC, as 09:10:55"), self._seek)

    def _seek(self, to: str | None) -> None:
        if to is not None:
            self._move(lambda _: ReplayControl(action="seek", to=to))

    def _move(self, order: Callable[[PlaybackStatus], ReplayControl]) -> None:
        if self.model.playback is None:
            self._notify("Only a replay can be moved.")
        elif self._moves.full():
            self._notify("Too many keys at once: the replay has not done the last ones yet.")
        else:
            self._moves.put_nowait(order)

    async def _steer(self) -> None:
        """One request after the other: each is made for the replay as the one before left it."""
        while True:
            order = await self._moves.get()
            if self.model.playback is None:
                continue
            try:
                answer = await self._source.request(order(self.model.playback))
            except StationError as error:
                answer = Refusal(text=str(error))
            if isinstance(answer, Snapshot):
                self.model.obeyed(answer, self._clock())
                self.painter.soon()
            elif isinstance(answer, Refusal):
                self._notify(answer.text)


def run_tui(
    source: MessageSource,
    *,
    ascii: bool = False,  # noqa: A002 - named like the option it comes from
    closing: str | None = None,
) -> int:
    """Show a station until the user quits; then say where the recording is and whether the station goes on.

    Args:
        source: where the messages come from.
        ascii: draw in ASCII; also chosen where the locale knows nothing else.
        closing: what becomes of the station, where the caller decides it; by default, that it goes on.

    Returns:
        The exit code: 0, the code of what the source raised, or 128 plus the number of a signal.

    Raises:
        CallerError: standard input or standard error (where Textual draws) is not a terminal.
        ViewerCrashed: an error in this program. What it was, Textual has printed.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CallerError("no terminal to draw on: use the plain or JSON output")
    app = StationApp(source, ascii_only=ascii or ascii_wanted())
    with EndSignals(app.end, Deadline(app.give_up)):
        code = app.run(mouse=False)
        code = code if app.end_code is None else app.end_code
        if (app.crashed or app.return_code) and app.end_code is None:
            replayed = app.model.playback is not None
            raise ViewerCrashed("the viewer crashed", at=app.model.pass_time(app.now()) if replayed else None)
        if code != EXIT_HANGUP:
            with contextlib.suppress(OSError):  # the terminal may end here, too
                if app.error is not None:
                    echo(str(app.error), err=True)
                echo(*farewell(app, closing))
    return code or 0


def typed_here(text: str) -> str:
    """A station's answer with the commands that it advises as they are typed on the command screen."""
    return text.replace("groundstation arm ", "arm ").replace("groundstation cop unlock", "unlock")


def farewell(app: StationApp, closing: str | None = None) -> list[str]:
    """The last lines: the recording, and what becomes of the station (``closing``, where the caller decides it)."""
    if app.model.snapshot is None:
        return ["No station answered."]
    link = app.model.link
    kept = link is not None and link.recording is not None
    recording = f"Recording: {link.recording}" if link is not None and kept else "Nothing was recorded."
    if app.model.playback is not None:
        recording = f"Replay of {app.model.playback.recording}. Nothing was recorded."
    if closing is None:
        gone = app.ended or app.model.gone_ns(app.now()) is not None
        fate = "has ended or is out of reach" if gone else "goes on"
        closing = f"Station {app.model.snapshot.station} {fate}."
    return [recording, closing]
