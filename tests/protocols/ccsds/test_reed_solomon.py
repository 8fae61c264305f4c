"""Reed–Solomon: against libfec, the judge, where it is installed (Debian: libfec0), and by its own properties."""

from __future__ import annotations

import ctypes
import os
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ccsds import reed_solomon as rs
from protocols.ccsds.randomizer import randomize
from protocols.errors import DecodeError, EncodeError

LIBRARY = "libfec.so.0"


@pytest.fixture(scope="module")
def libfec() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        if os.environ.get("MARS6_REQUIRE_ALL"):
            raise
        pytest.skip(f"{LIBRARY} is not installed (Debian: libfec0): {error}")
    library.init_rs_char.restype = ctypes.c_void_p
    return library


def damaged(word: bytes, errors: int, rng: random.Random) -> bytes:
    """``word`` with exactly ``errors`` symbols wrong."""
    out = bytearray(word)
    for place in rng.sample(range(len(out)), errors):
        out[place] ^= rng.randrange(1, 256)
    return bytes(out)


def judge(libfec: ctypes.CDLL, word: bytes) -> rs.Decoded | None:
    """What libfec makes of a word of the (255,223) code."""
    pad = 255 - len(word)
    buffer = (ctypes.c_ubyte * 255)(*word)
    corrected = libfec.decode_rs_ccsds(buffer, None, 0, pad)
    return None if corrected < 0 else rs.Decoded(bytes(buffer)[: 223 - pad], corrected)


def test_dual_basis_is_that_of_libfec(libfec: ctypes.CDLL) -> None:
    table = ctypes.c_ubyte * 256
    assert bytes(table.in_dll(libfec, "Taltab")) == rs.TO_DUAL.tobytes()
    assert bytes(table.in_dll(libfec, "Tal1tab")) == rs.TO_CONVENTIONAL.tobytes()


@pytest.mark.parametrize("length", [1, 2, 100, 222, 223])
def test_check_symbols_are_those_of_libfec(libfec: ctypes.CDLL, length: int) -> None:
    rng = random.Random(length)
    for _ in range(50):
        data = rng.randbytes(length)
        check = (ctypes.c_ubyte * 32)()
        libfec.encode_rs_ccsds(data, check, 223 - length)
        assert rs.encode(data) == data + bytes(check)


@pytest.mark.parametrize("errors", range(33))
def test_decoder_agrees_with_libfec(libfec: ctypes.CDLL, errors: int) -> None:
    rng = random.Random(errors)
    for length in (1, 96, 223, 223, 223):
        for _ in range(12):
            word = damaged(rs.encode(rng.randbytes(length)), errors, rng)
            assert rs.decode(word) == judge(libfec, word)


def test_decoder_agrees_with_libfec_on_noise(libfec: ctypes.CDLL) -> None:
    rng = random.Random(6)
    for _ in range(200):
        word = rng.randbytes(255)
        assert rs.decode(word) == judge(libfec, word)


@pytest.mark.parametrize("errors", range(13))
def test_the_short_code_agrees_with_libfec(libfec: ctypes.CDLL, errors: int) -> None:
    code = ctypes.c_void_p(libfec.init_rs_char(8, 0x187, 120, 11, 16, 0))
    rng = random.Random(errors)
    for _ in range(50):
        data = rng.randbytes(239)
        conventional = bytes(rs.TO_CONVENTIONAL[list(data)])
        check = (ctypes.c_ubyte * 16)()
        libfec.encode_rs_char(code, conventional, check)
        word = rs.encode(data, errors=8)
        assert word[239:] == bytes(rs.TO_DUAL[list(check)])
        word = damaged(word, errors, rng)
        buffer = (ctypes.c_ubyte * 255)(*bytes(rs.TO_CONVENTIONAL[list(word)]))
        corrected = libfec.decode_rs_char(code, buffer, None, 0)
        expected = None if corrected < 0 else rs.Decoded(bytes(rs.TO_DUAL[list(buffer)])[:239], corrected)
        assert rs.decode(word, errors=8) == expected
    libfec.free_rs_char(code)


@given(st.integers(1, 8), st.sampled_from([8, 16]), st.data())
def test_as_many_errors_as_the_code_corrects(depth: int, errors: rs.Errors, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 255 - 2 * errors))
    rng = random.Random(data.draw(st.integers(0, 1 << 32)))
    message = rng.randbytes(length * depth)
    block = rs.encode(message, depth, errors)
    assert block.startswith(message)
    assert len(block) == (length + 2 * errors) * depth
    assert rs.decode(block, depth, errors) == rs.Decoded(message, 0)
    counts = [rng.randrange(errors + 1) for _ in range(depth)]
    received = bytearray(block)
    for word, count in enumerate(counts):
        received[word::depth] = damaged(block[word::depth], count, rng)
    assert rs.decode(bytes(received), depth, errors) == rs.Decoded(message, sum(counts))


def test_interleaving_spreads_a_burst() -> None:
    message = random.Random(1).randbytes(223 * 5)
    block = bytearray(rs.encode(message, 5))
    block[300:380] = bytes(byte ^ 0xFF for byte in block[300:380])
    assert rs.decode(bytes(block), 5) == rs.Decoded(message, 80)
    block[380] ^= 1
    assert rs.decode(bytes(block), 5) is None


def test_one_hopeless_word_spoils_the_block() -> None:
    rng = random.Random(2)
    block = bytearray(rs.encode(rng.randbytes(223 * 2), 2))
    block[0::2] = damaged(bytes(block[0::2]), 17, rng)
    assert rs.decode(bytes(block), 2) is None


@pytest.mark.parametrize("value", [0, 1, 0x55, 0xFF])
def test_constant_words_are_codewords(value: int) -> None:
    assert rs.decode(bytes([value]) * 255) == rs.Decoded(bytes([value]) * 223, 0)


def test_the_pseudo_random_sequence_is_a_codeword() -> None:
    sequence = randomize(bytes(255))
    assert rs.decode(sequence) == rs.Decoded(sequence[:223], 0)


@pytest.mark.parametrize("length", [33, 160, 255])
def test_a_batch_tells_clean_words_from_dirty_ones(length: int) -> None:
    rng = random.Random(length)
    words, clean = [], []
    for _ in range(300):
        errors = rng.choice([0, 0, 1, 5, 17])
        words.append(damaged(rs.encode(rng.randbytes(length - 32)), errors, rng))
        clean.append(errors == 0)
    batch = np.frombuffer(b"".join(words), np.uint8).reshape(-1, length)
    assert rs.check_batch(batch).tolist() == clean
    assert rs.check_batch(batch[:0]).tolist() == []


def test_an_error_in_the_virtual_fill_is_no_correction() -> None:
    whole = rs.encode(bytes(7) + b"\1" + bytes(92) + random.Random(3).randbytes(123))
    assert rs.decode(bytes(100) + whole[100:]) == rs.Decoded(whole[:223], 1)
    assert rs.decode(whole[100:]) is None


@pytest.mark.parametrize(("length", "depth"), [(0, 1), (224, 1), (3, 2), (5, 0), (9, 9)])
def test_impossible_data_is_refused(length: int, depth: int) -> None:
    with pytest.raises(EncodeError):
        rs.encode(bytes(length), depth)


@pytest.mark.parametrize(("length", "depth"), [(0, 1), (32, 1), (256, 1), (65, 2), (255, 0), (360, 9)])
def test_impossible_blocks_are_refused(length: int, depth: int) -> None:
    with pytest.raises(DecodeError):
        rs.decode(bytes(length), depth)


@pytest.mark.parametrize("shape", [(255,), (1, 32), (1, 256), (1, 2, 255)])
def test_impossible_batches_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DecodeError):
        rs.check_batch(np.zeros(shape, np.uint8))
