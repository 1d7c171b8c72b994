"""The system's Firefox without a window, driven by WebDriver BiDi over its own WebSocket: no driver program needed.

W3C WebDriver BiDi; Firefox serves it where `--remote-debugging-port` says, at /session.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.patience import until_now

PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
    "extensions.update.enabled": False,
}
"""A microphone that beeps, no questions, and no calls home."""

LISTENING = re.compile(r"WebDriver BiDi listening on (ws://[^\s]+)")


def firefox_program() -> str | None:
    """Debian's package is firefox-esr; None if there is none."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class FirefoxPage:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._ids = socket, itertools.count(1)
        self._do("session.new", capabilities={})
        self._tab = self._do("browsingContext.getTree")["contexts"][0]["context"]

    def goto(self, url: str) -> None:
        self._do("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """A JSON value; promises are waited for. Raises RuntimeError for what the page throws."""
        result = self._do(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self._tab},
            awaitPromise=True,
            userActivation=True,
        )
        if result["type"] == "exception":
            raise RuntimeError(result["exceptionDetails"]["text"])
        return json.loads(result["result"].get("value", "null"))

    def wait_for(self, expression: str, timeout_s: float = 30) -> None:
        until_now(lambda: self.evaluate(expression), lambda: expression, seconds=timeout_s)

    def press(self, selector: str, hold_s: float = 0.05) -> None:
        """With a mouse, in the middle of the element."""
        pause = {"type": "pause", "duration": round(1000 * hold_s)}
        self._point(selector, {"type": "pointerDown", "button": 0}, pause, {"type": "pointerUp", "button": 0})

    def hold(self, selector: str) -> None:
        """Press with a mouse, until `release`."""
        self._point(selector, {"type": "pointerDown", "button": 0})

    def release(self, selector: str) -> None:
        self._point(selector, {"type": "pointerUp", "button": 0})

    def _point(self, selector: str, *actions: dict[str, Any]) -> None:
        x, y = self.evaluate(
            f"(({{left, top, width, height}}) => [Math.round(left + width / 2), Math.round(top + height / 2)])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        moved = {"type": "pointerMove", "x": x, "y": y}
        mouse = {"type": "pointer", "id": "mouse", "actions": [moved, *actions]}
        self._do("input.performActions", context=self._tab, actions=[mouse])

    def _do(self, method: str, **params: Any) -> Any:
        id = next(self._ids)
        self._socket.send(json.dumps({"id": id, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(60))
            if answer.get("id") == id:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]


@contextmanager
def firefox(
    url: str, environment: Mapping[str, str] | None = None, preferences: Mapping[str, Any] | None = None
) -> Iterator[FirefoxPage]:
    """The page at `url`, loaded. environment: more of it, as PULSE_SERVER. preferences: further ones."""
    program = firefox_program()
    assert program, "Firefox is missing; Debian's package is firefox-esr"
    with tempfile.TemporaryDirectory(prefix="stimme-firefox-") as folder:
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in (PREFERENCES | dict(preferences or {})).items()
        ]
        (Path(folder) / "user.js").write_text("".join(lines))
        log = Path(folder) / "log.txt"
        with log.open("w") as output:
            process = subprocess.Popen(
                [program, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | dict(environment or {}),
            )
        try:
            with connect(f"{_address(log, process)}/session", max_size=None) as socket:
                page = FirefoxPage(socket)
                page.goto(url)
                yield page
        finally:
            process.terminate()
            process.wait(20)


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    def said() -> str:
        return log.read_text(errors="replace")[-2000:]

    until_now(lambda: LISTENING.search(said()) or process.poll() is not None, said, seconds=60)
    match = LISTENING.search(said())
    assert match, f"Firefox did not start:\n{said()}"
    return match[1]
