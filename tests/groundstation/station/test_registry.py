import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest

from groundstation.errors import CallerError, StationGone, WorldError
from groundstation.station.registry import Registry, StationInfo


def info_for(registry: Registry, name: str, started: int = 1, recording: str | None = None) -> StationInfo:
    ends = registry.endpoints(name)
    return StationInfo(
        name=name,
        pid=os.getpid(),
        link="replay:x",
        started=started,
        telemetry=ends.telemetry,
        command=ends.command,
        recording=recording,
    )


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "run")


def test_register_find_unregister(registry: Registry) -> None:
    info = info_for(registry, "bench", recording="pass.sqlite")
    registry.register(info)
    other = Registry(registry.root)
    assert other.running() == [info]
    for wanted in (None, "bench", info.telemetry, info.command):
        assert other.find(wanted) == info
    registry.unregister("bench")
    registry.unregister("bench")
    assert other.running() == []
    assert list(registry.root.iterdir()) == []


def test_info_may_be_renewed(registry: Registry) -> None:
    registry.register(info_for(registry, "bench"))
    renewed = info_for(registry, "bench", recording="later.sqlite")
    registry.register(renewed)
    assert registry.running() == [renewed]
    registry.unregister("bench")


def test_one_station_per_name(registry: Registry) -> None:
    info = info_for(registry, "bench")
    registry.register(info)
    with pytest.raises(CallerError, match="'bench' is running already"):
        Registry(registry.root).register(info)
    registry.unregister("bench")
    second = Registry(registry.root)
    second.register(info)
    second.unregister("bench")


def test_none_running(registry: Registry) -> None:
    for wanted in (None, "bench"):
        with pytest.raises(StationGone, match="groundstation serve LINK"):
            registry.find(wanted)


def test_several_running(registry: Registry) -> None:
    for started, name in enumerate(["zulu", "bench"]):
        registry.register(info_for(registry, name, started))
    assert [info.name for info in registry.running()] == ["zulu", "bench"]
    with pytest.raises(CallerError, match="2 stations are running, say which: zulu, bench"):
        registry.find()
    with pytest.raises(CallerError, match="did you mean 'bench'"):
        registry.find("benhc")
    with pytest.raises(CallerError, match="known: zulu, bench"):
        registry.find("qqq")
    for name in ("zulu", "bench"):
        registry.unregister(name)


def test_a_name_is_free_again_however_often_it_was_taken(registry: Registry) -> None:
    for _ in range(20):
        other = Registry(registry.root)
        other.register(info_for(other, "bench"))
        assert registry.find("bench").name == "bench"
        other.unregister("bench")


def test_a_lock_that_its_owner_removed_makes_no_station(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened just before its owner left, locked just after: the file is in no folder any more."""
    first = Registry(registry.root)
    first.register(info_for(first, "bench"))
    second, real = Registry(registry.root), os.open
    opened: list[int] = []

    def open_late(path: str, *how: int) -> int:
        lock = real(path, *how)
        opened.append(lock)
        if len(opened) == 1:
            first.unregister("bench")
        return lock

    monkeypatch.setattr(os, "open", open_late)
    second.register(info_for(second, "bench"))
    monkeypatch.undo()
    assert len(opened) == 2
    assert registry.running() == [registry.find("bench")]
    with pytest.raises(CallerError, match="is running already"):
        registry.register(info_for(registry, "bench"))
    second.unregister("bench")


def test_what_else_lies_in_the_folder_stays(registry: Registry) -> None:
    registry.register(info_for(registry, "bench"))
    (registry.root / "bench" / "notes").write_text("mine")
    registry.unregister("bench")
    assert [file.name for file in (registry.root / "bench").iterdir()] == ["notes"]


VICTIM = """
import sys, time
from pathlib import Path
import msgspec
from groundstation.station.registry import Registry, StationInfo
Registry(Path(sys.argv[1])).register(msgspec.json.decode(sys.argv[2], type=StationInfo))
print("ready", flush=True)
time.sleep(60)
"""


def test_killed_station_is_cleaned_up(registry: Registry) -> None:
    info = info_for(registry, "bench")
    command = [sys.executable, "-c", VICTIM, str(registry.root), msgspec.json.encode(info).decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"ready\n"
        assert registry.running() == [info]
        socket = registry.root / "bench" / "tm"
        socket.touch()
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
    assert registry.running() == []
    assert not socket.parent.exists()
    registry.register(info)
    registry.unregister("bench")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"name": 3}'])
def test_damaged_or_foreign_entries_are_passed_over(registry: Registry, content: bytes) -> None:
    (registry.root / "other").mkdir()
    (registry.root / "other" / "station.json").write_bytes(content)
    (registry.root / "file").touch()
    assert registry.running() == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "x" * 33, "-x", "ä", "a\n"])
def test_bad_names(registry: Registry, name: str) -> None:
    with pytest.raises(CallerError, match="cannot name a station"):
        registry.endpoints(name)


def test_private(registry: Registry) -> None:
    registry.endpoints("bench")
    for folder in (registry.root, registry.root / "bench"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_directory_of_others_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "run"
    root.mkdir()
    root.chmod(0o755)
    with pytest.raises(WorldError, match="open to other users"):
        Registry(root)
    root.chmod(0o700)
    (tmp_path / "alias").symlink_to(root)
    with pytest.raises(WorldError, match="open to other users"):
        Registry(tmp_path / "alias")
    (tmp_path / "file").touch()
    with pytest.raises(WorldError, match="cannot make"):
        Registry(tmp_path / "file")


def test_default_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert Registry().root == tmp_path / "groundstation"
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert Registry().root == tmp_path / f"groundstation-{os.getuid()}"


def test_long_paths_get_a_short_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        registry = Registry(tmp_path / ("d" * 100))
        first, second = registry.endpoints("bench"), registry.endpoints("other")
        assert len({first.telemetry, first.command, second.telemetry, second.command}) == 4
        assert registry.endpoints("bench") == first
        assert len(first.command.removeprefix("ipc://")) <= 107
        place = Path(first.command.removeprefix("ipc://")).parent
        assert place.is_dir()
        registry.register(info_for(registry, "bench"))
        registry.unregister("bench")
        assert not place.exists()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("t" * 100)))
        with pytest.raises(CallerError, match="too long"):
            registry.endpoints("bench")
