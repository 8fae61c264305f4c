"""Where this program keeps what is its user's: recordings, keys, sockets. Folders that only the user may enter."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from groundstation.errors import WorldError


def data_folder() -> Path:
    """What lasts: ``$XDG_DATA_HOME/groundstation``, else ``~/.local/share/groundstation``."""
    data_home = Path(os.environ.get("XDG_DATA_HOME", ""))
    if not data_home.is_absolute():
        data_home = Path.home() / ".local" / "share"
    return data_home / "groundstation"


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, with its parents, or check that it is one.

    Raises:
        WorldError: it cannot be made, or others may enter it.
    """
    try:
        for each in (*reversed(folder.parents), folder):  # a parent that `mkdir` makes is open to others
            if not each.is_dir():
                each.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise WorldError(f"cannot make the folder {folder}: {error.strerror}") from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise WorldError(f"{folder} is open to other users: remove it or chmod 700 it")
