from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from groundstation.cli.keys import keys
from groundstation.errors import CallerError
from groundstation.security.keys import KeyStore
from groundstation.station.address import find_station


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


def call(*arguments: str) -> str:
    result = CliRunner().invoke(keys, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_key_is_made_let_in_listed_and_revoked(home: Path) -> None:
    assert "none: groundstation keys new NAME" in call("list")
    assert "none yet: groundstation keys allow NAME KEY" in call("list")
    said = call("new", "anna")
    pair = KeyStore().load("anna")
    assert (home / "groundstation" / "keys" / "anna.key").exists()
    assert f"groundstation keys allow anna {pair.public}" in said
    assert pair.secret not in said
    assert call("allow", "anna") == "anna may listen\n"
    assert call("allow", "anna", "--command") == "anna may listen and command\n"
    assert call("allow", "boris", "AB" * 32, "--telemetry") == "boris may listen\n"
    assert call("allow", "boris", "--command") == "boris may listen and command\n"
    assert call("revoke", "boris") == "boris is no longer authorized\n"
    assert [line.split()[:3] for line in call("list").splitlines()] == [
        ["Keys", "of", "this"],
        ["anna", pair.public],
        ["Authorized", "clients", "of"],
        ["anna", "command", pair.public],
        ["boris", "revoked", "ab" * 32],
    ]


def test_an_unknown_name() -> None:
    with pytest.raises(CallerError, match="groundstation keys allow carla PUBLIC"):
        call("allow", "carla")


def test_a_station_elsewhere_is_reached_with_two_keys() -> None:
    pair = KeyStore().new("anna")
    target = find_station("tcp://192.0.2.1:5571", "anna", "AB" * 32)
    assert target.ends.command == "tcp://192.0.2.1:5572"
    assert target.credentials is not None
    assert (target.credentials.own, target.credentials.server) == (pair, "ab" * 32)
    assert find_station("tcp://127.0.0.1:5571").credentials is None
    for key, server_key in ((None, None), ("anna", None), (None, "ab" * 32)):
        with pytest.raises(CallerError, match=r"--key NAME .* and --server-key"):
            find_station("tcp://192.0.2.1:5571", key, server_key)
    with pytest.raises(CallerError, match="--server-key"):
        find_station("tcp://127.0.0.1:5571", "anna")
    with pytest.raises(CallerError, match="groundstation keys new"):
        find_station("tcp://192.0.2.1:5571", "boris", "ab" * 32)
    with pytest.raises(CallerError, match="64 hexadecimal digits"):
        find_station("tcp://192.0.2.1:5571", "anna", "ab")
