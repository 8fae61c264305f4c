"""Finds the rate at which a lander on a port speaks: it was built with one, and nothing on the board says which."""

from __future__ import annotations

import termios
import time
from collections.abc import Sequence

from groundstation.errors import LinkError
from groundstation.ports.address import USUAL_BAUDS
from groundstation.ports.board_lock import WAIT_S, lock_board
from groundstation.ports.lander_search import await_frame, inquiry_of
from groundstation.ports.opening import closing_port, open_port
from hil.targets import BoardPort, MachineFailed

FIRST_S = 4.0
"""At the first rate: opening the port may have reset the board."""
NEXT_S = 1.7
"""At each of the others: a lander greets once a second, or answers when it is asked."""


def find_baud(port: BoardPort, bauds: Sequence[int] = USUAL_BAUDS, wait_s: float = WAIT_S) -> BoardPort:
    """The port with the rate at which a lander was heard. The board is opened once, and not reset again.

    Args:
        port: where to look; its own rate does not count.
        bauds: to be tried, in this order.
        wait_s: how long to wait for a board that another program uses.

    Raises:
        LinkError: the port cannot be opened, or has gone.
        MachineFailed: no lander was heard at any of them, or it is another board than the one that was chosen.
    """
    path, device = port.now()
    count = 0
    try:
        with lock_board([device], wait_s), closing_port(open_port(path, bauds[0])) as serial:
            for n, baud in enumerate(bauds):
                serial.baudrate = baud
                termios.tcflush(serial.fileno(), termios.TCIFLUSH)
                came, heard = await_frame(serial.fileno(), NEXT_S if n else FIRST_S, time.monotonic, inquiry_of())
                if heard:
                    return BoardPort(port.path, baud, port.device)
                count += came
    except (OSError, termios.error) as error:
        raise LinkError(f"{path} has gone: {error.args[-1]}") from error
    came_text = f"{count} bytes came, and no frame of this mission" if count else "not a byte came"
    tried = ", ".join(map(str, bauds))
    raise MachineFailed(
        f"no lander answers on {path}, tried {tried} baud: {came_text}. Is it flashed (`hil firmware flash`), and is "
        "this its port?"
    )
