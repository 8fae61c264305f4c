"""A real browser: Chromium without a window, spoken to over its debugging pipe."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_PATIENCE_S = 60.0


class Browser:
    """One page in one browser. Commands are those of the DevTools protocol.

    Attributes:
        said: what the page wrote to its console, and its errors.
        requests: addresses that it fetched.
    """

    def __init__(self, profile: Path) -> None:
        to_child, self._out = os.pipe()
        self._in, from_child = os.pipe()
        assert CHROMIUM is not None
        # It reads commands from descriptor 3 and answers on 4: the shell moves the pipes there.
        shuffle = 'exec "$@" 3<&"$IN" 4>&"$OUT"'
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"]
        self._process = subprocess.Popen(
            ["bash", "-c", shuffle, "bash", CHROMIUM, *flags, "--remote-debugging-pipe", f"--user-data-dir={profile}"],
            pass_fds=(to_child, from_child),
            env={**os.environ, "IN": str(to_child), "OUT": str(from_child)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_child)
        os.close(from_child)
        self._number = 0
        self._buffer = b""
        self.said: list[str] = []
        self.requests: list[str] = []
        self._loaded = False
        self._session: str | None = None
        page = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.do(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            self._session = None
            self._send("Browser.close", {})
            self._process.wait(20)
        except (OSError, subprocess.TimeoutExpired):
            os.killpg(self._process.pid, 9)
            self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def do(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer."""
        number = self._send(method, parameters)
        while True:
            message = self._receive()
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]

    def open(self, path: Path, fragment: str = "") -> None:
        """Show a file, and wait until it is there."""
        self._loaded = False
        self.do("Page.navigate", url=path.as_uri() + fragment)
        while not self._loaded:
            self._receive()

    def window(self, width: int, height: int = 900, *, dark: bool = False, media: str = "") -> None:
        """The size of the window, and how its user likes it."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.do("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def ask(self, expression: str) -> Any:
        """What JavaScript says."""
        answer = self.do("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def shoot(self, path: Path, clip: tuple[int, int, int, int] | None = None) -> None:
        """A picture of the page: all of it, or (x, y, width, height)."""
        more: dict[str, Any] = {}
        if clip is not None:
            more["clip"] = dict(zip(("x", "y", "width", "height"), clip, strict=True)) | {"scale": 1}
        data = self.do("Page.captureScreenshot", captureBeyondViewport=True, **more)["data"]
        path.write_bytes(base64.b64decode(data))

    def _send(self, method: str, parameters: dict[str, Any]) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        return self._number

    def _receive(self) -> Any:
        deadline = time.monotonic() + _PATIENCE_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            data = os.read(self._in, 1 << 16)
            assert data, "the browser has gone"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(line)
        self._on_event(message.get("method", ""), message.get("params", {}))
        return message

    def _on_event(self, method: str, parameters: Any) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.said.append(json.dumps(parameters))
