"""The terminal as Textual's driver, made to survive what terminals do.

Textual's own driver ends, hangs or spins where a terminal sends noise, stalls or goes away. What differs here:

- Keys are read by `KeyReader`: noise is dropped. The mouse is never switched on: every command has a key, and the
  terminal's own selection works.
- Text is written by `TerminalOutput`, which never blocks and never raises.
- A read that gives nothing, or an error, is the end of the terminal: it becomes a SIGHUP, and nothing is read, written
  or started on that terminal any more.
- Signals are dealt with by the event loop, between two steps and not within one. After SIGCONT the screen is set up
  again if there is still a terminal, whether this program stopped itself or was stopped.
- A viewer that ends has given its terminal back for good: a SIGCONT that comes then takes it over no more.
- Ctrl-Z stops the whole process group, so that the shell behind a `make` gets its terminal back.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from groundstation.host.hangup import has_hung_up
from groundstation.tui.terminal.keyboard import KeyReader
from groundstation.tui.terminal.output import TerminalOutput

_READ = 4096
_TICK_MS = 50
_LAST_WORDS_S = 1.0
_LEAVE = b"\x1b[<u\x1b[?2004l\x1b[?1004l\x1b[?7h\x1b[?25h\x1b[?1049l"
"""Keyboard, pastes, focus, line wrap and cursor as usual, and the screen of before."""


class TerminalDriver(LinuxDriver):
    """Standard input and standard error, as Textual has them.

    Attributes:
        gone: the terminal has ended.
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        """``mouse`` is taken and not heeded."""
        super().__init__(app, debug=debug, mouse=False, size=size)
        self.gone = False
        self._output: TerminalOutput | None = None
        self._active = False
        self._over = False
        self._heed()

    def _get_terminal_size(self) -> tuple[int, int]:
        """Columns and rows as the kernel knows them, whatever COLUMNS and LINES a shell has exported."""
        for descriptor in (2, 1, 0):
            with contextlib.suppress(OSError):  # it is closed, or not a terminal
                columns, rows = os.get_terminal_size(descriptor)
                if columns and rows:
                    return columns, rows
        return super()._get_terminal_size()

    # ------------------------------------------------------------------------------------------- output

    @property
    def ready(self) -> bool:
        """Whether the terminal has taken what was painted last: painting faster would only show the past."""
        return self._output is None or self._output.idle

    def mend(self) -> bool:
        """Whether something that was painted was dropped, so that all must be painted again."""
        return self._output is not None and self._output.mend()

    def write(self, data: str) -> None:
        """Text for the terminal; without one it goes nowhere."""
        if self._output is not None:
            self._output.write(data)

    def start_application_mode(self) -> None:
        """Take the terminal over, if it is still there and this process is in its foreground."""
        if self.gone or self._over:
            return
        assert sys.__stderr__ is not None, "without a terminal there is no driver"
        if self._output is not None:
            self._output.stop(0.0)
        self._output = TerminalOutput(sys.__stderr__.fileno(), sys.__stderr__.encoding, self._lost)
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's own
        self._active = self._key_thread is not None and self._key_thread.is_alive()
        if not self._active and has_hung_up(self.fileno):
            self._lost()

    def suspend_application_mode(self) -> None:
        """Give the terminal back as it was."""
        over, self._active = self._over, False
        super().suspend_application_mode()
        self._over = over

    def close(self) -> None:
        """Write what is to be written, but do not wait for a terminal that takes nothing."""
        super().close()
        if self._output is not None:
            self._output.stop(0.0 if self.gone else _LAST_WORDS_S)

    def abandon(self) -> None:
        """Leave the terminal as it was found, as far as that takes no time; nothing else is done with it after this."""
        with contextlib.suppress(OSError, termios.error):
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            room = select.poll()
            room.register(self.fileno, select.POLLOUT)
            if room.poll(0):
                os.write(self.fileno, _LEAVE)

    def _query_in_band_window_resize(self) -> None:
        """The kernel knows the size."""

    # ------------------------------------------------------------------------------------------- input

    def disable_input(self) -> None:
        """Read no more keys. Unless this is a suspension, the viewer ends."""
        self._over = True
        super().disable_input()

    def run_input_thread(self) -> None:
        """Read keys until told to stop, or until there is nothing to read from any more."""
        reader, waiting = KeyReader(), select.poll()
        waiting.register(self.fileno, select.POLLIN)
        while not self.exit_event.is_set() and not self.gone:
            messages = reader.feed(self._read()) if waiting.poll(_TICK_MS) else []
            for message in (*messages, *reader.tick()):
                self.process_message(message)

    def _read(self) -> bytes:
        """What the terminal has sent. An error, or nothing from a terminal that has ended, is its end."""
        data = b""
        try:
            data = os.read(self.fileno, _READ)
        except BlockingIOError:
            pass
        except OSError:
            self._lost()
        if not data and has_hung_up(self.fileno):
            self._lost()
        elif not data:
            self.exit_event.wait(_TICK_MS / 1000)
        return data

    def _lost(self) -> None:
        """The terminal has ended; from any thread."""
        first, self.gone = not self.gone, True
        if first:
            os.kill(os.getpid(), signal.SIGHUP)

    # ------------------------------------------------------------------------------------------- signals

    def _heed(self) -> None:
        self._loop.add_signal_handler(signal.SIGTSTP, self._stop)
        self._loop.add_signal_handler(signal.SIGCONT, self._go_on)

    def _stop(self) -> None:
        """Stop, with all that share the terminal; where no shell could continue them the kernel does not stop them."""
        if not self._over:
            self.suspend_application_mode()
        self._loop.remove_signal_handler(signal.SIGTSTP)
        self._loop.remove_signal_handler(signal.SIGCONT)
        os.killpg(0, signal.SIGTSTP)
        self._heed()
        self._go_on()

    def _go_on(self) -> None:
        """Take the terminal over again; another may have stopped this process, and left it in any state."""
        if self._active:
            self.suspend_application_mode()
        self._must_signal_resume = True
        self.resume_application_mode()
