"""A board that is a program: the firmware as a process behind a pseudo-terminal."""

from __future__ import annotations

import os
import subprocess
import time
import tty

from hil.images.image import choose_image


class StandIn:
    """What a board is to its computer: a serial device, with a lander that runs whether or not a station listens."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        command_line = [str(choose_image("posix").path), str(self._master)]
        self._process = subprocess.Popen(command_line, pass_fds=[self._master])

    def say(self, data: bytes) -> None:
        """As if another program had used the port before."""
        os.write(self._slave, data)
        time.sleep(0.1)

    def unplug(self) -> None:
        self._process.kill()
        self._process.wait()
        for fd in (self._master, self._slave):
            os.close(fd)
        self._master = -1

    def close(self) -> None:
        if self._master >= 0:
            self.unplug()
