from __future__ import annotations

from pathlib import Path

import pytest
import zmq

from groundstation.errors import CallerError
from groundstation.security.endpoints import Endpoints, bind, check, is_private, pair_of

OTHERS = ["tcp://0.0.0.0:5571", "tcp://*:5571", "tcp://[::]:5571", "tcp://192.0.2.1:5571", "tcp://eth0:5571"]
OWN = ["tcp://127.0.0.1:5571", "tcp://127.3.2.1:5571", "tcp://[::1]:5571", "ipc:///tmp/x"]


@pytest.mark.parametrize("endpoint", OTHERS)
def test_what_others_can_reach_needs_a_key(endpoint: str) -> None:
    assert not is_private(endpoint)
    check(endpoint, keyed=True)
    with pytest.raises(CallerError, match=r"groundstation keys new NAME.*--key NAME"):
        check(endpoint, keyed=False)


@pytest.mark.parametrize("endpoint", OWN)
def test_what_is_this_host_s_own_needs_none(endpoint: str) -> None:
    assert is_private(endpoint)
    check(endpoint, keyed=False)


@pytest.mark.parametrize(
    "endpoint", ["foo", "127.0.0.1:5571", "tcp://127.0.0.1", "tcp://127.0.0.1:x", "ipc://x", "ipc:///"]
)
def test_what_is_no_endpoint_is_told_what_one_looks_like(endpoint: str) -> None:
    with pytest.raises(CallerError, match=r"expected tcp://ADDRESS:PORT, or a private ipc:///PATH"):
        check(endpoint, keyed=False)


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:*", "ipc:///run/a user/socket"])
def test_any_free_port_and_any_path_will_do(endpoint: str) -> None:
    check(endpoint, keyed=False)


def test_commands_have_the_next_port() -> None:
    assert pair_of("tcp://[::1]:5571") == Endpoints(telemetry="tcp://[::1]:5571", command="tcp://[::1]:5572")
    assert pair_of("tcp://*:1").command == "tcp://*:2"
    for bad in ("tcp://127.0.0.1", "127.0.0.1:5571", "ipc:///tmp/x", "tcp://h:65535", "tcp://h:0", "tcp://:1"):
        with pytest.raises(CallerError, match="expected tcp://ADDRESS:PORT"):
            pair_of(bad)


def test_a_socket_in_the_file_system_is_its_user_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        bind(socket, f"ipc://{path}")
        assert path.stat().st_mode & 0o777 == 0o700
