"""Several processes on one state directory."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.faults.state import announced_within, answer, kinds
from tests.support.caller import Caller, caller
from tests.support.patience import until
from tests.support.server import MODELS, ROOT, running_server


def run(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "STIMME_STATE": str(state),
        "STIMME_MODELS": str(MODELS),
        "PYTHONPATH": str(ROOT),
        "STIMME_PORT": "0",
        "STIMME_PAGE_PORT": "0",
    }
    return subprocess.run(
        [sys.executable, "-m", "appliance", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def until_answer(person: Caller, begin: str) -> None:
    """Ask how much time is left until the answer begins so."""
    async with asyncio.timeout(15):
        while not (await answer(person, "how much time is left")).startswith(begin):  # noqa: ASYNC110
            await asyncio.sleep(0.5)


def test_a_second_assistant_says_who_is_first_and_ends_even_if_that_one_sleeps(tmp_path: Path) -> None:
    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        for sleeping in (False, True):
            if sleeping:
                server.process.send_signal(signal.SIGSTOP)
            second = run(tmp_path, "run")
            assert second.returncode == 2
            assert f"stimme: {tmp_path} is in use by process {server.process.pid}." in second.stderr
            assert "Traceback" not in second.stderr
        server.process.send_signal(signal.SIGCONT)
    with running_server({"STIMME_STATE": str(tmp_path)}):
        pass  # it is free again


def test_the_command_line_sets_cancels_and_silences_beside_a_running_assistant(tmp_path: Path) -> None:
    async def go() -> None:
        async with caller(server.url) as person:
            await person.hello(speak=False)
            said = await asyncio.to_thread(run, tmp_path, "ask", "set a pizza timer for ten minutes")
            assert said.stdout == "Pizza timer set for ten minutes.\n"
            await until_answer(person, "The pizza timer has")
            assert (await asyncio.to_thread(run, tmp_path, "ask", "cancel the pizza timer")).returncode == 0
            assert kinds(tmp_path) == []
            await until_answer(person, "No timer is running.")

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(go())
        assert "Traceback" not in server.log.read_text()


def test_a_process_that_slept_over_a_timer_rings_it_once_when_it_wakes(tmp_path: Path) -> None:
    async def go() -> None:
        async with caller(server.url) as person:
            await person.hello(speak=False)
            await answer(person, "set a timer for two seconds")
            server.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(4)
            server.process.send_signal(signal.SIGCONT)
            assert (await person.receive("announce"))["kind"] == "timer"
            await until(lambda: kinds(tmp_path) == [])
            assert not await announced_within(person, 1)

    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        asyncio.run(go())
