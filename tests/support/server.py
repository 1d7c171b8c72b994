"""The real server in a process of its own, as `make run` starts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "build" / "test-models"
"""Unpacked and prepared models are kept here from one test run to the next."""

READY = re.compile(r"ready: http://([^:]+):(\d+) \(WebSocket also at ws://[^:]+:(\d+)\)")


@dataclass(frozen=True)
class RunningServer:
    process: subprocess.Popen[str]
    page_port: int
    port: int
    ready_s: float
    """From start of the process to its "ready" line, in seconds."""
    log: Path

    @property
    def page(self) -> str:
        return f"http://localhost:{self.page_port}"

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def rss_mb(self) -> float:
        """Resident memory of the server process, in MB (proc(5): statm counts pages)."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def own_mb(self) -> float:
        """The same without what it maps of files: models' pages, which come and go with what is said."""
        _, resident, shared, *_ = map(int, Path(f"/proc/{self.process.pid}/statm").read_text().split())
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        """Processor time used so far, user and system, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


@contextmanager
def running_server(
    settings: Mapping[str, str | None] | None = None,
    *,
    module: str = "appliance",
    arguments: Sequence[str] = (),
    prefix: Sequence[str] = (),
    timeout_s: float = 60,
    before: Callable[[], None] | None = None,
    python: str = sys.executable,
) -> Iterator[RunningServer]:
    """Start it on free ports; stop it at exit.

    settings: environment names as in .env; None takes a name out of the environment. prefix: a program that starts it
    in its place, as nsenter and setpriv do. before: runs in the new process first.
    python: another one, which has another Stimme installed (with PYTHONPATH taken out of the environment).
    """
    with tempfile.TemporaryDirectory(prefix="stimme-test-") as folder:
        wanted: Mapping[str, str | None] = {
            **os.environ,
            "STIMME_STATE": f"{folder}/state",
            "STIMME_MODELS": str(MODELS),
            "PYTHONUNBUFFERED": "1",
            "STIMME_PAGE_PORT": "0",
            "STIMME_PORT": "0",
            "PYTHONPATH": str(ROOT),
            **(settings or {}),
        }
        environment = {name: value for name, value in wanted.items() if value is not None}
        log = Path(folder) / "log.txt"
        begin = time.monotonic()
        with log.open("w") as output:
            process = subprocess.Popen(
                [*prefix, python, "-m", module, "run", *arguments],
                cwd=folder,
                env=environment,
                text=True,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=before,
            )
        try:
            match = _wait_until_ready(process, log, begin + timeout_s)
            yield RunningServer(process, int(match[2]), int(match[3]), time.monotonic() - begin, log)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[str], log: Path, deadline: float) -> re.Match[str]:
    while time.monotonic() < deadline:
        match = READY.search(log.read_text())
        if match:
            return match
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"the server did not become ready (exit code {process.poll()}):\n{log.read_text()}")
