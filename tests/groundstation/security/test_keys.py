from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import zmq
from zmq.utils import z85

from groundstation.errors import CallerError, KeyUnusable
from groundstation.security.keys import KeyPair, KeyStore, checked_key, public_of


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "data" / "keys")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_pair_is_kept_for_its_user_alone(store: KeyStore) -> None:
    before = os.umask(0)
    try:
        pair = store.new("bench")
        store.allow("anna", store.new("anna").public, "command", 1)
    finally:
        os.umask(before)
    assert mode(store.folder) == 0o700
    assert {mode(path) for path in store.folder.iterdir()} == {0o600}
    assert store.load("bench") == pair
    assert store.load(str(store.folder / "bench.key")) == pair
    assert store.names() == ["anna", "bench"]
    assert pair.secret not in repr(pair)
    assert zmq.curve_public(z85.encode(bytes.fromhex(pair.secret))) == z85.encode(bytes.fromhex(pair.public))


def test_a_pair_is_never_replaced(store: KeyStore) -> None:
    pair = store.new("bench")
    with pytest.raises(CallerError, match="exists"):
        store.new("bench")
    assert store.load("bench") == pair


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o644, 0o620, 0o777, 0o601])
def test_a_file_that_others_may_use_is_refused(store: KeyStore, bits: int) -> None:
    store.new("bench")
    store.allow("anna", "ab" * 32, "telemetry", 1)
    for path, use in (
        (store.folder / "bench.key", lambda: store.load("bench")),
        (store.allowed_path, store.clients),
        (store.allowed_path, lambda: store.allow("boris", "cd" * 32, "telemetry", 1)),
    ):
        path.chmod(bits)
        with pytest.raises(KeyUnusable, match=rf"mode {bits:04o}\): chmod 600 {path}"):
            use()
        path.chmod(0o600)
        use()


def test_a_folder_that_others_may_use_is_refused(store: KeyStore) -> None:
    store.new("bench")
    store.folder.chmod(0o755)
    for use in (lambda: store.load("bench"), store.clients):
        with pytest.raises(KeyUnusable, match="chmod 700"):
            use()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[1]",
        '{"name":"a","public":"","secret":""}',
        "\xff",
        '{"name":"\xe9","public":"","secret":""}',
        '{"x":' + "[" * 20_000,
    ],
)
def test_a_damaged_file_is_said_to_be_one(store: KeyStore, content: str) -> None:
    store.new("bench")
    (store.folder / "bench.key").write_text(content, encoding="latin-1")
    with pytest.raises(KeyUnusable, match="damaged"):
        store.load("bench")


def test_halves_that_do_not_belong_together(store: KeyStore) -> None:
    first, second = store.new("first"), store.new("second")
    path = store.folder / "first.key"
    path.write_text(path.read_text().replace(first.public, second.public))
    with pytest.raises(KeyUnusable, match="do not belong together"):
        store.load("first")


def test_a_key_that_is_not_there(store: KeyStore) -> None:
    with pytest.raises(CallerError, match="groundstation keys new"):
        store.load("bench")
    store.new("bench")
    with pytest.raises(CallerError, match="did you mean 'bench'"):
        store.load("bnech")
    with pytest.raises(CallerError, match="keys new"):
        store.load("/nowhere/bench.key")
    (store.folder / "folder.key").mkdir()
    with pytest.raises(KeyUnusable, match="cannot be read"):
        store.load("folder")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "x" * 33, "-x", "ä", "a\n", "key:a"])
def test_names_that_cannot_be(store: KeyStore, name: str) -> None:
    for use in (lambda: store.new(name), lambda: store.allow(name, "ab" * 32, "telemetry", 1)):
        with pytest.raises(CallerError, match="cannot name a key"):
            use()


@pytest.mark.parametrize("text", ["", "ab" * 31, "ab" * 33, "xy" * 32, "ab" * 31 + "a "])
def test_keys_that_are_none(text: str) -> None:
    with pytest.raises(CallerError, match="64 hexadecimal digits"):
        checked_key(text)


def test_keys_as_people_paste_them() -> None:
    assert checked_key(f" {'AB' * 32}\n") == "ab" * 32


def test_allow_and_revoke(store: KeyStore) -> None:
    anna, boris = "ab" * 32, "cd" * 32
    assert store.clients() == []
    store.allow("anna", anna, "telemetry", 1)
    store.allow("boris", boris, "telemetry", 2)
    store.allow("anna", anna, "command", 3)
    assert [(c.name, c.rights, c.since, c.revoked) for c in store.clients()] == [
        ("anna", "command", 3, None),
        ("boris", "telemetry", 2, None),
    ]
    with pytest.raises(CallerError, match="has another key: revoke that first"):
        store.allow("anna", "ef" * 32, "command", 4)
    with pytest.raises(CallerError, match="this is the key of 'boris'"):
        store.allow("carla", boris, "command", 4)
    with pytest.raises(CallerError, match="did you mean 'boris'"):
        store.revoke("bors", 4)
    assert store.revoke("anna", 5).revoked == 5
    with pytest.raises(CallerError, match="no authorized client 'anna'"):
        store.revoke("anna", 6)
    store.allow("anna", "ef" * 32, "telemetry", 7)
    assert [(c.name, c.public, c.revoked) for c in store.clients()] == [
        ("anna", "ef" * 32, None),
        ("boris", boris, None),
    ]


def test_edits_at_once_lose_nothing(store: KeyStore) -> None:
    def edit(number: int) -> None:
        store.allow(f"c{number}", f"{number:064x}", "telemetry", number)

    editors = [threading.Thread(target=edit, args=(number,)) for number in range(20)]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    assert len(store.clients()) == 20


def test_public_half() -> None:
    pair = KeyPair("x", *(z85.decode(half).hex() for half in zmq.curve_keypair()))
    assert public_of(pair.secret) == pair.public
