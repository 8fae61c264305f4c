"""Frame header error control of AOS, CCSDS 732.0-B §4.1.2.6: the shortened Reed–Solomon code (10,6) over GF(16).

Field polynomial x⁴ + x + 1; generator (x + α⁶)(x + α⁷)(x + α⁸)(x + α⁹). It protects six symbols of four bits, which
are the first two bytes of the frame and its signalling field, by four symbols of check. Two symbols in error are
corrected; many, not all, larger errors are seen.
"""

from __future__ import annotations

from protocols.errors import DecodeError

_FIELD = 0x13
_CHECK_BITS = 16
_SYMBOL_BITS = 4


def _product(a: int, b: int) -> int:
    """Product of two numbers of GF(16)."""
    result = 0
    for bit in range(_SYMBOL_BITS):
        if b >> bit & 1:
            result ^= a << bit
    for bit in (6, 5, 4):
        if result >> bit & 1:
            result ^= _FIELD << (bit - 4)
    return result


def _generator() -> list[int]:
    """Coefficients below the leading 1, highest first."""
    root, poly = 1, [1]
    for power in range(10):
        if power >= 6:
            poly = [high ^ _product(low, root) for high, low in zip([*poly, 0], [0, *poly], strict=True)]
        root = _product(root, 2)
    return poly[1:]


def _feedback_table() -> tuple[int, ...]:
    """What a symbol at the head of the division adds to the four symbols behind it."""
    generator = _generator()
    rows = ([_product(symbol, coefficient) for coefficient in generator] for symbol in range(16))
    return tuple(a << 12 | b << 8 | c << 4 | d for a, b, c, d in rows)


_FEEDBACK = _feedback_table()


def check_symbols(header: int) -> int:
    """The 16 check bits of a 24-bit header: frame version, SCID and VCID (16 bits), then the signalling field (8)."""
    check = 0
    for shift in range(20, -1, -_SYMBOL_BITS):
        head = check >> 12 ^ header >> shift & 0xF
        check = check << _SYMBOL_BITS & 0xFFFF ^ _FEEDBACK[head]
    return check


def _remainder(word: int) -> int:
    """0 for a codeword of 40 bits; otherwise a number that depends on the error alone."""
    return check_symbols(word >> _CHECK_BITS) ^ word & 0xFFFF


_SINGLE_ERRORS = {
    _remainder(value << position): value << position
    for position in range(0, 40, _SYMBOL_BITS)
    for value in range(1, 16)
}


def correct(header: int, check: int) -> tuple[int, int]:
    """The corrected 24-bit header and how many of its or its check's symbols were wrong, 0 … 2.

    Raises:
        DecodeError: more than two symbols are wrong.
    """
    remainder = _remainder(header << _CHECK_BITS | check)
    if not remainder:
        return header, 0
    if remainder in _SINGLE_ERRORS:
        return header ^ _SINGLE_ERRORS[remainder] >> _CHECK_BITS, 1
    for one, error in _SINGLE_ERRORS.items():
        other = _SINGLE_ERRORS.get(remainder ^ one)
        if other is not None:
            return header ^ (error ^ other) >> _CHECK_BITS, 2
    raise DecodeError("frame header error control: more than two symbols are wrong")
