"""Reed–Solomon codes (255,223) and (255,239), CCSDS 131.0-B §4: dual basis, interleaving, virtual fill.

Field polynomial x⁸ + x⁷ + x² + x + 1; generator ∏ (x − α^(11 j)), j = 128 − E … 127 + E, for E = 16 or 8 correctable
symbols. Symbols are transmitted in Berlekamp's dual basis (annex F).

Rules:
1. Check symbols are a linear function of the data, over bits even. So one table lookup per data symbol, in the dual
   basis as received, and exclusive or give them: this is the encoder, and over a whole batch the check of clean words.
2. Only words whose check symbols differ are decoded, from that difference (Berlekamp–Massey, Chien, Forney).
3. Virtual fill is leading zero symbols that are not sent; an error found there is a word that cannot be corrected.
4. Constant words and the pseudo-random sequence are codewords too: keep the FECF.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from protocols.errors import DecodeError, EncodeError

Bytes = NDArray[np.uint8]
Errors = Literal[8, 16]

LENGTH = 255
"""Symbols of a whole codeword."""
MAX_DEPTH = 8
_FIELD = 0x187
_ROOT = 11
_DUAL_ROWS = (0x8D, 0xEF, 0xEC, 0x86, 0xFA, 0x99, 0xAF, 0x7B)
"""Matrix of annex F, from the conventional to the dual basis: first row belongs to the highest bit."""
_CHUNK = 64
"""Words that are checked at a time: their table rows stay within the processor's cache."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A codeblock's data, and how many of its symbols were corrected, check symbols included."""

    data: bytes
    corrected: int


def _powers() -> list[int]:
    """α^0 … α^254 twice, so that a sum of two logarithms needs no modulo."""
    powers, value = [], 1
    for _ in range(LENGTH):
        powers.append(value)
        value = value << 1 ^ (_FIELD if value & 0x80 else 0)
    return powers * 2


_EXP = _powers()
_LOG = [0, *sorted(range(LENGTH), key=_EXP.__getitem__)]
"""Exponent of each symbol; that of 0 has no meaning."""


def _product(a: int, b: int) -> int:
    """Product of two symbols in the conventional basis."""
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def _dual(symbol: int) -> int:
    """A symbol of the conventional basis in the dual basis."""
    result = 0
    for bit, row in enumerate(_DUAL_ROWS):
        if symbol & 0x80 >> bit:
            result ^= row
    return result


TO_DUAL: Bytes = np.array([_dual(symbol) for symbol in range(256)], np.uint8)
"""Conventional to dual basis."""
TO_CONVENTIONAL: Bytes = np.argsort(TO_DUAL).astype(np.uint8)
"""Dual to conventional basis."""
_EXP_TABLE: Bytes = np.array(_EXP, np.uint8)
_LOG_TABLE = np.array(_LOG, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Code:
    """One of the two codes.

    Attributes:
        errors: correctable symbols, E.
        checks: check symbols of a word, 2 E.
        table: what data symbol ``s`` at position ``p`` of a whole word adds to the check symbols, in the dual basis,
            eight of them in each number: ``table[256 * p + s]``.
    """

    errors: int
    checks: int
    table: NDArray[np.uint64]

    @property
    def first_root(self) -> int:
        """Exponent of the first root, in powers of α^11."""
        return 128 - self.errors


@cache
def _code(errors: int) -> _Code:
    """The code for E = ``errors``, its table built at the first use (some ten milliseconds)."""
    checks = 2 * errors
    generator = [1]
    for j in range(128 - errors, 128 + errors):
        root = _EXP[_ROOT * j % LENGTH]
        generator = [a ^ _product(b, root) for a, b in zip([*generator, 0], [0, *generator], strict=True)]
    remainder, rows = generator[1:], []
    for _ in range(LENGTH - checks):  # the last data symbol first, then each one before it
        rows.append(remainder)
        head = remainder[0]
        remainder = [a ^ _product(head, g) for a, g in zip([*remainder[1:], 0], generator[1:], strict=True)]
    logs = _LOG_TABLE[np.array(rows[::-1], np.uint8)]
    zero = np.array(rows[::-1], np.uint8) == 0
    table = np.zeros((LENGTH - checks, 256, checks), np.uint8)
    for symbol in range(1, 256):
        products = np.where(zero, 0, _EXP_TABLE[logs + _LOG[symbol]]).astype(np.uint8)
        table[:, TO_DUAL[symbol], :] = TO_DUAL[products]
    return _Code(errors, checks, table.reshape(-1, checks).view(np.uint64))


def _check_symbols(data: Bytes, code: _Code) -> Bytes:
    """Check symbols of each row of data symbols, which may be shortened."""
    words, length = data.shape
    first = LENGTH - code.checks - length
    places = np.arange(first, first + length, dtype=np.intp) * 256
    out = np.empty((words, code.checks // 8), np.uint64)
    for start in range(0, words, _CHUNK):
        rows = code.table.take(data[start : start + _CHUNK] + places, axis=0)
        np.bitwise_xor.reduce(rows, axis=1, out=out[start : start + _CHUNK])
    return out.view(np.uint8)


def _differences(words: Bytes, code: _Code) -> Bytes:
    """Received check symbols of each row against those of its data: all 0 in a clean word."""
    return _check_symbols(words[:, : -code.checks], code) ^ words[:, -code.checks :]


def check_batch(words: Bytes, errors: Errors = 16) -> NDArray[np.bool_]:
    """Which words are clean.

    Args:
        words: one word a row, dual basis, 2 E + 1 … 255 symbols, all shortened alike.
        errors: E, the correctable symbols of the code.

    Raises:
        DecodeError: rows of another length.
    """
    code = _code(errors)
    if words.ndim != 2 or not code.checks < words.shape[1] <= LENGTH:
        raise DecodeError(f"words of {code.checks + 1} … {LENGTH} symbols wanted, not an array of {words.shape}")
    return np.logical_not(_differences(words, code).any(axis=1))


def split(block: bytes, depth: int = 1) -> Bytes:
    """The words of an interleaved codeblock, one a row (§4.3.5): symbol n belongs to word n mod ``depth``."""
    return np.frombuffer(block, np.uint8).reshape(-1, depth).T


def encode(data: bytes, depth: int = 1, errors: Errors = 16) -> bytes:
    """The codeblock of ``data``: its bytes, then the check symbols, interleaved.

    Args:
        data: dual basis; at most (255 − 2 E) ``depth`` bytes, the rest is virtual fill; a multiple of ``depth``.
        depth: interleaving depth I, 1 … 8.
        errors: E, the correctable symbols of the code.

    Raises:
        EncodeError: a length or depth that cannot be.
    """
    code = _code(errors)
    problem = _problem(len(data), depth, 1, LENGTH - code.checks)
    if problem:
        raise EncodeError(problem)
    return data + _check_symbols(split(data, depth), code).T.tobytes()


def decode(block: bytes, depth: int = 1, errors: Errors = 16, *, correct: bool = True) -> Decoded | None:
    """The data of a codeblock, corrected, or None if one of its words cannot be.

    Args:
        block: the codeblock as received, dual basis, without its virtual fill.
        depth: interleaving depth I, 1 … 8.
        errors: E, the correctable symbols of the code.
        correct: False takes clean words only; a dirty one then costs no more than a clean one.

    Raises:
        DecodeError: a length or depth that cannot be.
    """
    code = _code(errors)
    problem = _problem(len(block), depth, code.checks + 1, LENGTH)
    if problem:
        raise DecodeError(problem)
    words = split(block, depth)
    differences = _differences(words, code)
    dirty = np.flatnonzero(differences.any(axis=1))
    data_length = len(block) - depth * code.checks
    if not dirty.size:
        return Decoded(block[:data_length], 0)
    if not correct:
        return None
    words, corrected = words.copy(), 0
    for row in dirty:
        count = _correct(words[row], differences[row], code)
        if count is None:
            return None
        corrected += count
    return Decoded(words.T.tobytes()[:data_length], corrected)


def _problem(length: int, depth: int, low: int, high: int) -> str:
    """What is wrong with a codeblock's or its data's length, or nothing."""
    if not 1 <= depth <= MAX_DEPTH:
        return f"interleaving depth {depth}: the range is 1 … {MAX_DEPTH}"
    if length % depth or not low <= length // depth <= high:
        return f"{length} bytes: at depth {depth} expected a multiple of it from {low * depth} to {high * depth}"
    return ""


def _correct(word: Bytes, difference: Bytes, code: _Code) -> int | None:
    """Correct one dirty word in place. Returns the number of its wrong symbols, or None if they are too many."""
    syndromes = _syndromes(difference, code)
    locator = _locator(syndromes.tolist())
    count = len(locator) - 1
    if count > code.errors:
        return None
    places = _roots(locator)
    if len(places) != count or places.max() >= len(word):
        return None
    values = _values(syndromes, locator, places, code)
    word[len(word) - 1 - places] ^= TO_DUAL[values]
    return count


def _syndromes(difference: Bytes, code: _Code) -> Bytes:
    """The difference as a polynomial, highest power first, at every root of the generator."""
    values = TO_CONVENTIONAL[difference][::-1]
    return _evaluate(values, _ROOT * np.arange(code.first_root, code.first_root + code.checks))


def _evaluate(coefficients: Bytes, exponents: NDArray[np.int64]) -> Bytes:
    """A polynomial, lowest power first, at α to each of the exponents."""
    powers = np.flatnonzero(coefficients)
    terms = _EXP_TABLE[(_LOG_TABLE[coefficients[powers]] + exponents[:, None] * powers) % LENGTH]
    result: Bytes = np.bitwise_xor.reduce(terms, axis=1)
    return result


def _locator(syndromes: list[int]) -> list[int]:
    """Berlekamp–Massey: the error locator, lowest power first, its degree the length of the shortest recurrence."""
    current, previous = [1], [1]
    length, gap, last = 0, 1, 1
    for n, syndrome in enumerate(syndromes):
        discrepancy = syndrome
        for i in range(1, min(length, len(current) - 1) + 1):
            discrepancy ^= _product(current[i], syndromes[n - i])
        if not discrepancy:
            gap += 1
            continue
        scale = _product(discrepancy, _EXP[LENGTH - _LOG[last]])
        update = [0] * gap + [_product(scale, value) for value in previous]
        width = max(len(current), len(update))
        updated = [a ^ b for a, b in zip(_padded(current, width), _padded(update, width), strict=True)]
        if 2 * length <= n:
            length, previous, last, gap = n + 1 - length, current, discrepancy, 1
        else:
            gap += 1
        current = updated
    return _padded(current, length + 1)[: length + 1]


def _padded(values: list[int], width: int) -> list[int]:
    return values + [0] * (width - len(values))


def _roots(locator: list[int]) -> NDArray[np.int64]:
    """Chien: the places, as powers of x, whose locators α^(11 place) have a root in the polynomial."""
    exponents = -_ROOT * np.arange(LENGTH)
    return np.flatnonzero(_evaluate(np.array(locator, np.uint8), exponents) == 0)


def _values(syndromes: Bytes, locator: list[int], places: NDArray[np.int64], code: _Code) -> Bytes:
    """Forney: what to add at each place, in the conventional basis."""
    count = len(places)
    evaluator = [0] * count
    for i, coefficient in enumerate(locator):
        for j in range(count - i):
            evaluator[i + j] ^= _product(coefficient, int(syndromes[j]))
    derivative = [value if power % 2 else 0 for power, value in enumerate(locator)][1:]
    inverse = -_ROOT * places
    above = _evaluate(np.array(evaluator, np.uint8), inverse)
    below = _evaluate(np.array(derivative, np.uint8), inverse)
    exponents = _LOG_TABLE[above] - _LOG_TABLE[below] + (1 - code.first_root) * _ROOT * places
    return _EXP_TABLE.take(exponents % LENGTH)
