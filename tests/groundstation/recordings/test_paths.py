from pathlib import Path

import pytest

from groundstation.recordings.paths import default_path

NOW = 1795367554_123456789  # 2026-11-22T17:12:34Z


def test_name_and_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    path = default_path(NOW, "bench", "7f3a")
    assert path == tmp_path / "groundstation" / "passes" / "20261122T171234.123Z-bench-7f3a.sqlite"


@pytest.mark.parametrize("value", [None, "", "relative"])
def test_home_by_default(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("XDG_DATA_HOME", value)
    assert default_path(NOW, "x", "0").parent == Path.home() / ".local/share/groundstation/passes"


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("serial:///dev/ttyUSB0", "serial-dev-ttyUSB0"),
        ("../../etc/passwd", "etc-passwd"),
        ("", "pass"),
        ("ä ö", "pass"),
        ("a" * 300, "a" * 48),
    ],
)
def test_labels(tmp_path: Path, label: str, expected: str) -> None:
    path = default_path(NOW, label, "7f3a", tmp_path)
    assert path == tmp_path / f"20261122T171234.123Z-{expected}-7f3a.sqlite"
