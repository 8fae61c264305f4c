from __future__ import annotations

from pathlib import Path

import pytest

from groundstation.errors import AccessRefused
from groundstation.messages.commanding import ArmRequest, CommandRequest
from groundstation.messages.wire import AnyMessage, SnapshotRequest, StopRequest
from groundstation.security.authorization import LOCAL, AuthorizedKeys, Principal
from groundstation.security.keys import KeyStore

TOKEN = "t" * 16
REQUESTS: list[AnyMessage] = [
    CommandRequest(name="PING", who="anna@home", token=TOKEN, issued=1),
    ArmRequest(seconds=1, who="anna@home", token=TOKEN, issued=1),
    StopRequest(reason="x"),
]


def test_rights() -> None:
    for request in REQUESTS:
        LOCAL.check(request)
        Principal("anna", "command").check(request)
        with pytest.raises(AccessRefused, match="groundstation keys allow anna --command"):
            Principal("anna", "telemetry").check(request)
    for rights in ("telemetry", "command"):
        Principal("anna", rights).check(SnapshotRequest())
    for request in (*REQUESTS, SnapshotRequest()):
        with pytest.raises(AccessRefused, match="no longer authorized"):
            Principal("anna", "none").check(request)


def test_only_a_key_makes_a_key_s_name() -> None:
    assert LOCAL.label("anna@home") == "anna@home"
    assert Principal("anna", "command").label("x") == "key:anna x"
    with pytest.raises(AccessRefused, match="only a key"):
        LOCAL.check(CommandRequest(name="PING", who="key:anna x", token="t" * 16, issued=1))


def test_guests_follow_the_file(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    guests = AuthorizedKeys(store)
    anna = "ab" * 32
    assert guests.caller(anna) == Principal("abababab", "none")
    store.allow("anna", anna, "telemetry", 1)
    assert guests.caller(anna) == Principal("anna", "telemetry")
    store.allow("anna", anna, "command", 2)
    assert guests.caller(anna) == Principal("anna", "command")
    assert guests.authorized() == {anna}
    store.revoke("anna", 3)
    assert guests.caller(anna) == Principal("anna", "none")
    assert guests.authorized() == frozenset()
    assert guests.error is None


def test_an_unusable_list_authorizes_no_client(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    guests = AuthorizedKeys(store)
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
    for damaged in (content[:-9], content.replace(b"anna", b"ann\xe9"), b'[{"x":' + b"[" * 20_000):
        store.allowed_path.write_bytes(damaged)
        assert guests.caller(anna).rights == "none"
        assert "damaged" in str(guests.error)
    store.allowed_path.unlink()
    assert guests.caller(anna).rights == "none"
    assert guests.error is None
