from __future__ import annotations

from pathlib import Path

import pytest

from groundstation.access import LOCAL, Caller, Guests, Turnstile
from groundstation.errors import AccessRefused
from groundstation.keys import KeyStore
from groundstation.messages import SnapshotRequest, StopRequest
from groundstation.orders import ArmRequest, CommandRequest

S = 1_000_000_000
ORDER = {"who": "anna@home", "token": "t" * 16, "issued": 1}
REQUESTS = [CommandRequest(name="PING", **ORDER), ArmRequest(seconds=1, **ORDER), StopRequest(reason="x")]


def test_rights() -> None:
    for request in REQUESTS:
        LOCAL.check(request)
        Caller("anna", "command").check(request)
        with pytest.raises(AccessRefused, match="groundstation keys allow anna --command"):
            Caller("anna", "telemetry").check(request)
    for rights in ("telemetry", "command"):
        Caller("anna", rights).check(SnapshotRequest())
    for request in (*REQUESTS, SnapshotRequest()):
        with pytest.raises(AccessRefused, match="not let in"):
            Caller("anna", "none").check(request)


def test_only_a_key_makes_a_key_s_name() -> None:
    assert LOCAL.label("anna@home") == "anna@home"
    assert Caller("anna", "command").label("x") == "key:anna x"
    with pytest.raises(AccessRefused, match="only a key"):
        LOCAL.check(CommandRequest(name="PING", who="key:anna x", token="t" * 16, issued=1))


def test_guests_follow_the_file(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    guests = Guests(store)
    anna = "ab" * 32
    assert guests.caller(anna) == Caller("abababab", "none")
    store.allow("anna", anna, "telemetry", 1)
    assert guests.caller(anna) == Caller("anna", "telemetry")
    store.allow("anna", anna, "command", 2)
    assert guests.caller(anna) == Caller("anna", "command")
    assert guests.let_in() == {anna}
    store.revoke("anna", 3)
    assert guests.caller(anna) == Caller("anna", "none")
    assert guests.let_in() == frozenset()
    assert guests.error is None


def test_an_unusable_list_lets_nobody_in(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    guests = Guests(store)
    anna = "ab" * 32
    store.allow("anna", anna, "command", 1)
    assert guests.caller(anna).rights == "command"
    for path, bad, good in ((store.allowed_path, 0o644, 0o600), (store.folder, 0o755, 0o700)):
        path.chmod(bad)
        assert guests.caller(anna).rights == "none"
        assert guests.error is not None
        assert "chmod" in guests.error
        path.chmod(good)
        assert guests.caller(anna).rights == "command"
        assert guests.error is None
    content = store.allowed_path.read_bytes()
    store.allowed_path.write_bytes(content[:-9])
    assert guests.caller(anna).rights == "none"
    store.allowed_path.unlink()
    assert guests.caller(anna).rights == "none"
    assert guests.error is None


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


def test_the_first_is_told_and_the_others_are_counted() -> None:
    clock, told = Clock(), []
    turnstile = Turnstile(told.append, clock)
    for _ in range(1000):
        turnstile.refuse("a", "A")
    turnstile.refuse("b", "B")
    turnstile.tick()
    assert told == ["A", "B"]
    clock.now = Turnstile.EVERY
    turnstile.tick()
    assert told[2:] == ["A; 999 more times in 10 s"]
    clock.now *= 2
    turnstile.tick()
    turnstile.refuse("a", "A")
    assert told[3:] == ["A"]
    assert turnstile.total == 1002


def test_many_kinds_are_bounded() -> None:
    clock, told = Clock(), []
    turnstile = Turnstile(told.append, clock)
    for number in range(10_000):
        turnstile.refuse(str(number), str(number))
    assert len(told) == Turnstile.KINDS + 1
    assert told[-1] == "others"
    clock.now = Turnstile.EVERY
    turnstile.tick()
    assert told[-1] == f"others; {10_000 - Turnstile.KINDS - 1} more times in 10 s"
    assert turnstile.total == 10_000
