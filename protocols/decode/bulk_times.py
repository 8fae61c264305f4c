"""Onboard times of many packets at once, by numpy: the same nanoseconds as `TimeCode.decode` gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from protocols.ccsds.cds import CdsFormat
from protocols.ccsds.cuc import CucFormat
from protocols.declare.headers import TimeCode
from protocols.leap_seconds import AHEAD, STEPS_TAI, tai_of
from protocols.units import MS_PER_DAY, NS_PER_DAY, NS_PER_MS, NS_PER_S

Ints = npt.NDArray[np.int64]
_MOST_COARSE, _MOST_FINE = 4, 4
"""Bytes of a CUC code with which 64 bits are enough for all that is calculated."""

_ALWAYS_FITS = 100_000
"""Days, from any epoch near, that do not pass 64 bits of nanoseconds."""


def read_times(octet: Callable[[int], Ints], code: TimeCode) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Times in ns since 1970, and which of them have to be read by `TimeCode.decode`, for it knows more.

    Those are the ones with more milliseconds than a usual day, and codes that 64 bits are not enough for.

    Args:
        octet: gives one byte of all time codes, counted from their start.
        code: what the bytes mean.
    """
    first = code.p_size
    if isinstance(code.format, CdsFormat):
        return _cds(lambda place: octet(first + place), code.format)
    times, odd = _cuc(lambda place: octet(first + place), code.format)
    return (_without_leap_seconds(times, code.format.epoch_ns) if code.leap_seconds else times), odd


def _without_leap_seconds(times: Ints, epoch_ns: int) -> Ints:
    tai = times + (tai_of(epoch_ns) - epoch_ns)
    return tai - NS_PER_S * np.array(AHEAD, np.int64)[np.array(STEPS_TAI, np.int64).searchsorted(tai, "right")]


def _cds(octet: Callable[[int], Ints], form: CdsFormat) -> tuple[Ints, npt.NDArray[np.bool_]]:
    day = _number(octet, 0, form.day_size)
    ms = _number(octet, form.day_size, 4)
    times = day * NS_PER_DAY + form.epoch_ns + ms * NS_PER_MS
    odd = (ms >= MS_PER_DAY) | (day > _ALWAYS_FITS)
    if form.fraction_size:
        units = form.units
        fraction = _number(octet, form.day_size + 4, form.fraction_size)
        times += fraction * NS_PER_MS // units
        odd |= fraction >= units
    return times, odd


def _cuc(octet: Callable[[int], Ints], form: CucFormat) -> tuple[Ints, npt.NDArray[np.bool_]]:
    coarse = _number(octet, 0, min(form.coarse, _MOST_COARSE))
    if form.coarse > _MOST_COARSE or form.fine > _MOST_FINE:
        return coarse, np.ones(len(coarse), np.bool_)
    times = coarse * NS_PER_S + form.epoch_ns
    if form.fine:
        unit = 1 << 8 * form.fine
        times += (2 * _number(octet, form.coarse, form.fine) * NS_PER_S + unit) // (2 * unit)
    return times, np.zeros(len(coarse), np.bool_)


def _number(octet: Callable[[int], Ints], place: int, size: int) -> Ints:
    number = octet(place).astype(np.int64)
    for n in range(1, size):
        number = number << 8 | octet(place + n)
    return number
