"""Who may connect and command, over real sockets: what is refused is told, and never reaches the wire."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from pathlib import Path

import msgspec
import pytest
import zmq

from groundstation.errors import AccessRefused, StationGone
from groundstation.messages.commanding import ArmRequest, RequestAccepted
from groundstation.messages.wire import (
    DropReport,
    EventMessage,
    Heartbeat,
    Refusal,
    Snapshot,
    SnapshotRequest,
    StopRequest,
    encode,
)
from groundstation.recordings.reader import ArchiveReader
from groundstation.security.keys import Credentials, KeyPair, KeyStore
from groundstation.viewer.source import StationBack, StationLost
from tests.system.conftest import Run
from tests.system.remote import (
    GROUND,
    PATIENCE_S,
    RawClient,
    RemoteHarness,
    ask,
    event,
    local,
    ping,
    remote,
    remote_bench,
    snapshot,
    until,
)


def client_key(name: str, rights: str | None) -> KeyPair:
    """A key, let in with these rights, or not at all."""
    store = KeyStore()
    pair = store.new(name)
    if rights is not None:
        store.allow(name, pair.public, rights, time.time_ns())  # type: ignore[arg-type]
    return pair


def assert_wire(bench: RemoteHarness, seen: list[bytes], count: int) -> None:
    """Exactly so many CLTUs are on the wire: one more, of the own user, tells that nothing is on its way."""
    assert isinstance(ask(local(), ping(f"end{count}{len(seen)}"))[0], RequestAccepted)
    until(lambda: bench.cltus(seen) >= count + 1 or None, "CLTU of the own user")
    assert bench.cltus(seen) == count + 1


def test_strangers_are_not_let_in(home: Path) -> None:
    revoked = client_key("revoked", "command")
    KeyStore().revoke("revoked", 1)
    stranger, known = client_key("stranger", None), client_key("known", "command")
    with remote_bench(home) as bench:
        with pytest.raises(AccessRefused, match=f"groundstation keys allow stranger {stranger.public}"):
            ask(remote(bench, stranger), ping("stranger"))
        with pytest.raises(AccessRefused, match="'revoked' is not authorized"):
            ask(remote(bench, revoked), ping("revoked"))
        with pytest.raises(StationGone, match="needs a key"):
            ask(remote(bench, None), ping("keyless"))
        with pytest.raises(StationGone, match="does not have the key given with --server-key"):
            ask(remote(bench, known, server=stranger.public), ping("known"))
        for words in (
            f"an unknown key from 127.0.0.1; to authorize it: groundstation keys allow NAME {stranger.public}",
            "the revoked key 'revoked' from 127.0.0.1",
            "without a key",
            "that holds another key for ours",
        ):
            assert event("ACCESS_REFUSED", words).severity == "WARNING_LO"
        assert_wire(bench, [], 0)
    with ArchiveReader(bench.recording) as archive:
        kept = [json.loads(each.body)["name"] for each in archive.events("event")]
    assert kept.count("ACCESS_REFUSED") >= 4


def test_a_telemetry_key_listens_and_orders_nothing(home: Path) -> None:
    viewer = client_key("viewer", "telemetry")
    arm = ArmRequest(who="test", token="a" * 16, issued=time.time_ns(), seconds=60)
    with remote_bench(home) as bench:
        answers = ask(remote(bench, viewer), SnapshotRequest(), ping("viewer"), arm, StopRequest(reason="x"))
        assert isinstance(answers[0], Snapshot)
        for answer in answers[1:]:
            assert isinstance(answer, Refusal)
            assert "'viewer' is for telemetry only" in answer.text
        assert event("ACCESS_REFUSED", "PING of 'key:viewer test': the key 'viewer' is for telemetry only")
        asyncio.run(_hears_a_heartbeat(bench, viewer))
        KeyStore().allow("viewer", viewer.public, "command", 1)
        assert isinstance(ask(remote(bench, viewer), ping("may"))[0], RequestAccepted)
        KeyStore().allow("viewer", viewer.public, "telemetry", 2)
        assert isinstance(ask(remote(bench, viewer), ping("may not"))[0], Refusal)
        assert_wire(bench, [], 1)


async def _hears_a_heartbeat(bench: RemoteHarness, key: KeyPair) -> None:
    client = remote(bench, key)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await client.connect()
            async for update in client.messages():
                if isinstance(update, Heartbeat):
                    return
    finally:
        await client.close()


def test_a_revoked_key_can_do_nothing_over_a_connection_it_has(home: Path) -> None:
    thief, other = client_key("thief", "command"), client_key("other", "telemetry")
    with remote_bench(home) as bench:
        seen: list[bytes] = []
        raw = RawClient(bench, thief)
        assert isinstance(raw.ask(ping("before")), RequestAccepted)
        until(lambda: bench.cltus(seen) == 1 or None, "CLTU")
        KeyStore().revoke("thief", time.time_ns())
        for request in (ping("after"), SnapshotRequest(), StopRequest(reason="x")):
            answer = raw.ask(request)
            assert isinstance(answer, Refusal)
            assert answer.text == "the key 'thief' is no longer authorized"
        raw.close()
        assert event("ACCESS_REFUSED", "PING of 'key:thief test': the key 'thief' is no longer authorized")
        assert_wire(bench, seen, 1)
        asyncio.run(_hears_a_heartbeat(bench, other))


@pytest.mark.long
def test_a_revoked_key_hears_nothing_more(home: Path) -> None:
    thief, other = client_key("thief", "telemetry"), client_key("other", "telemetry")
    with remote_bench(home) as bench:
        asyncio.run(_thief_goes_other_stays(bench, thief, other))


async def _thief_goes_other_stays(bench: RemoteHarness, thief: KeyPair, other: KeyPair) -> None:
    going, staying, home = remote(bench, thief), remote(bench, other), local()
    try:
        async with asyncio.timeout(PATIENCE_S):
            for client in (going, staying, home):
                await client.connect()
            KeyStore().revoke("thief", time.time_ns())
            async for update in going.messages():
                if isinstance(update, StationLost):
                    break
            heard = 0
            async for update in staying.messages():
                assert not isinstance(update, StationLost | StationBack)
                heard += isinstance(update, Heartbeat)
                if isinstance(update, EventMessage) and "key revoked" in update.text:
                    heard = 0
                if heard == 3:
                    break
            with pytest.raises(AccessRefused, match="'thief' is not authorized"):
                await going.connect()
            await home.request(SnapshotRequest())
            assert home.missed == {}
    finally:
        for client in (going, staying, home):
            await client.close()


def test_whatever_a_listener_says_the_station_goes_on(home: Path) -> None:
    """Requests that no client of ours makes, by a key that may only listen."""
    viewer = client_key("viewer", "telemetry")
    with remote_bench(home) as bench:
        raw = RawClient(bench, viewer)
        for missed in (b"9" * 4300, b"9" * 16, b"-1"):
            for name in (b"a", b"b"):
                body = b'{"type":"drop_report","viewer":"' + name + b'","missed":' + missed + b"}"
                answer = raw.ask(b"drop_report " + body)
                assert isinstance(answer, Refusal)
        most = 2**53
        for viewing in ("a", "b", "c"):
            assert isinstance(raw.ask(DropReport(viewer=viewing, missed=most)), RequestAccepted)
        assert isinstance(raw.ask(b"[" * 50_000), Refusal)
        raw.close()
        assert event("REQUEST_UNREADABLE", "a request of key:viewer a client cannot be read")
        asyncio.run(_hears_a_heartbeat(bench, viewer))
        assert bench.process.poll() is None


def test_no_client_can_pose_as_a_key_or_inject_log_lines(home: Path) -> None:
    with remote_bench(home) as bench:
        for number, who in enumerate(("key:anna root", " key:anna root", "eve\nRESET by key:anna root", "eve\x1b[2J")):
            (answer,) = ask(local(), ping(f"who{number}", who))
            assert isinstance(answer, Refusal), who
            (answer,) = ask(local(), StopRequest(reason=who))
            assert isinstance(answer, Refusal), who
        (answer,) = ask(local(), StopRequest(reason="x" * 300))
        assert isinstance(answer, Refusal)
        assert_wire(bench, [], 0)
        assert bench.process.poll() is None


@pytest.mark.long
def test_a_thousand_refusals_are_a_few_events(home: Path) -> None:
    with remote_bench(home) as bench:
        long = "X" * 100_000
        orders = [msgspec.structs.replace(ping(f"n{n}"), name=long) for n in range(200)]
        assert all(isinstance(answer, Refusal) for answer in ask(local(), *orders))
        assert event("REQUEST_REFUSED", long[:20])
        until(lambda: getattr(snapshot().uplink, "refused", 0) == 200 or None, "count of all refusals")
    with ArchiveReader(bench.recording) as archive:
        refused = [each for each in archive.events("event") if b"REQUEST_REFUSED" in each.body]
    assert len(refused) <= 5
    assert max(len(each.body) for each in refused) < 2000


def test_a_long_subscription_ends_its_connection_and_no_other(home: Path) -> None:
    anna = client_key("anna", "telemetry")
    with remote_bench(home) as bench, zmq.Context() as context, context.socket(zmq.XSUB) as sub:
        sub.set(zmq.LINGER, 0)
        Credentials(anna, bench.key.public).apply(sub)
        sub.connect(bench.ends.telemetry)
        sub.send(b"\1" + bytes(2000))
        assert event("CONNECTION_ENDED", "a message of more than 1,024 bytes")
        bench.wire.send(b"noise")
        until(lambda: snapshot().link.counters.bytes_in == 5 or None, "byte")
        assert isinstance(ask(remote(bench, anna), SnapshotRequest())[0], Snapshot)


def test_many_subscriptions_end_their_connection(home: Path) -> None:
    anna = client_key("anna", "telemetry")
    with remote_bench(home) as bench, zmq.Context() as context, context.socket(zmq.SUB) as sub:
        sub.set(zmq.LINGER, 0)
        Credentials(anna, bench.key.public).apply(sub)
        for number in range(1000):
            sub.subscribe(f"tm.{number:0190}")
        sub.connect(bench.ends.telemetry)
        assert event("CONNECTION_ENDED", "was ended: more than 8,192 bytes")


def test_captured_orders_are_obeyed_once(home: Path) -> None:
    anna, boris = client_key("anna", "command"), client_key("boris", "command")
    with remote_bench(home) as bench:
        seen: list[bytes] = []
        port = int(bench.ends.telemetry.rpartition(":")[2])
        captured = encode(ping("captured"))
        first, second, third = RawClient(bench, anna), RawClient(bench, anna), RawClient(bench, boris)
        assert isinstance(first.ask(captured), RequestAccepted)
        until(lambda: bench.cltus(seen) == 1 or None, "CLTU")
        for raw in (first, second, third):
            answer = raw.ask(captured)
            assert isinstance(answer, Refusal)
            assert answer.text.startswith("replayed")
            raw.close()
        assert event("REQUEST_REFUSED", "PING of 'key:anna test': replayed")
        assert event("REQUEST_REFUSED", "PING of 'key:boris test': replayed")
        assert_wire(bench, seen, 1)
    with remote_bench(home, "second.sqlite", port) as bench:
        raw = RawClient(bench, anna)
        answer = raw.ask(captured)
        raw.close()
        assert isinstance(answer, Refusal)
        assert "before this station started" in answer.text
        assert event("REQUEST_REFUSED", "before this station started")
        assert_wire(bench, [], 0)


def test_who_commanded_what_is_recorded_by_key(home: Path, run: Run) -> None:
    client_key("anna", "command")
    with remote_bench(home) as bench:
        keys = ["--station", bench.ends.telemetry, "--key", "anna", "--server-key", bench.key.public]
        done = run("groundstation", "send", "PING", "--bypass", *keys)
        assert (done.returncode, done.stderr) == (0, "")
        done = run("groundstation", "arm", "30", *keys)
        assert (done.returncode, done.stdout) == (0, "armed for 30 s\n")
        assert "armed by key:anna " in run("groundstation", "cop", *keys).stdout
        assert event("ARMED", "key:anna ")
        forged = ask(local(), ping("forged", who="key:anna x"))[0]
        assert isinstance(forged, Refusal)
        assert "only a key proves that" in forged.text
        done = run("groundstation", "stop", *keys[1:])
        assert done.returncode == 0, done.stderr
        assert bench.process.wait(PATIENCE_S) == 0
    with ArchiveReader(bench.recording) as archive:
        commands = [json.loads(each.body) for each in archive.events("command")]
    assert {each["who"].partition(" ")[0] for each in commands} == {"key:anna"}
    assert all("@" in each["who"] for each in commands)


def test_a_list_that_others_may_edit_authorizes_no_client(home: Path) -> None:
    anna = client_key("anna", "command")
    path = KeyStore().allowed_path
    with remote_bench(home) as bench:
        raw = RawClient(bench, anna)
        assert isinstance(raw.ask(ping("first")), RequestAccepted)
        path.chmod(0o666)
        assert isinstance(raw.ask(ping("second")), Refusal)
        with pytest.raises(AccessRefused):
            ask(remote(bench, anna), ping("third"))
        assert event("ACCESS", f"no remote client is authorized: {path} is open to other users (mode 0666): chmod 600")
        path.chmod(0o600)
        assert event("ACCESS", "can be read again")
        assert isinstance(raw.ask(ping("fourth")), RequestAccepted)
        raw.close()
        assert_wire(bench, [], 2)


def test_a_station_binds_nowhere_else_without_a_key(home: Path, run: Run) -> None:
    done = run("groundstation", "serve", "zmq:ipc:///absent", "--bind", "tcp://0.0.0.0:5571")
    assert done.returncode == 2
    assert "groundstation keys new NAME" in done.stderr
    assert "--key NAME" in done.stderr
    KeyStore().new("bench")
    path = KeyStore().folder / "bench.key"
    path.chmod(0o640)
    done = run("groundstation", "serve", "zmq:ipc:///absent", "--bind", "tcp://127.0.0.1:5571", "--key", "bench")
    assert done.returncode == 26
    assert f"chmod 600 {path}" in done.stderr
    assert not list(home.rglob("*.sqlite"))


def test_an_address_in_use_leaves_no_recording(home: Path, run: Run) -> None:
    with remote_bench(home) as bench:
        arguments = ["--bind", bench.ends.telemetry, "--name", "second", "--record", str(home / "second.sqlite")]
        done = run("groundstation", "serve", "zmq:ipc:///absent", *arguments)
        assert (done.returncode, done.stderr) == (
            1,
            f"groundstation: cannot bind {bench.ends.telemetry}: Address already in use\n",
        )
    assert not (home / "second.sqlite").exists()


@pytest.mark.long
def test_a_viewer_that_is_shown_out_is_told_so(home: Path) -> None:
    client_key("anna", "telemetry")
    with remote_bench(home) as bench:
        arguments = ["--plain", "--key", "anna", "--server-key", bench.key.public]
        command = [*GROUND, "watch", bench.ends.telemetry, *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as viewer:
            assert viewer.stdout is not None
            assert viewer.stdout.readline().startswith("station bench")
            KeyStore().revoke("anna", time.time_ns())
            _, said = viewer.communicate(timeout=PATIENCE_S)
    assert viewer.returncode == 25
    assert "the key 'anna' is not authorized there" in said


def test_what_is_wrong_with_keys_is_one_line_and_an_exit_code(home: Path, run: Run) -> None:
    client_key("anna", "telemetry")
    wrong = run("groundstation", "keys", "revoke", "ana")
    assert (wrong.returncode, wrong.stderr) == (2, "groundstation: no authorized client 'ana'; did you mean 'anna'?\n")
    (KeyStore().folder / "anna.key").chmod(0o644)
    listing = run("groundstation", "keys", "list")
    assert listing.returncode == 26
    assert "chmod 600" in listing.stdout
    assert "anna                 telemetry" in listing.stdout
    done = run("groundstation", "send", "PING", "--station", "tcp://192.0.2.1:5571")
    assert done.returncode == 2
    assert "--key NAME" in done.stderr
    assert "--server-key" in done.stderr
