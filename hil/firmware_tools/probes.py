"""Which debug probes are plugged in, by the serial numbers that tools choose them by. Read from sysfs: an ST-Link need
not have a serial port."""

from __future__ import annotations

import contextlib
from pathlib import Path

_USB = Path("/sys/bus/usb/devices")
_ST = "0483"
_ST_LINKS = {"3744", "3748", "374a", "374b", "374d", "374e", "374f", "3752", "3753", "3754"}


def st_links(devices: Path = _USB) -> list[str]:
    """Serial numbers of the ST-Links that are plugged in, sorted; empty for one that has none."""
    found = [_read(device / "serial") for device in devices.glob("*") if _is_st_link(device)]
    return sorted(found)


def st_link_of(port: str, ports: Path = Path("/sys/class/tty")) -> str | None:
    """The serial number of the ST-Link that has this serial port; None if the port is not an ST-Link's."""
    real = Path(port).resolve()
    with contextlib.suppress(OSError):
        for place in (ports / real.name / "device").resolve().parents:
            if _is_st_link(place):
                return _read(place / "serial")
    return None


def _is_st_link(device: Path) -> bool:
    return _read(device / "idVendor") == _ST and _read(device / "idProduct") in _ST_LINKS


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
