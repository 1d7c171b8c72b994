"""Streams while every core has something else to do; `make bench-device` runs the same for ten minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(os.geteuid() != 0, reason="without root there is no priority; the appliance's unit grants it")
def test_nothing_is_lost_and_nothing_runs_dry_while_all_cores_are_busy() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.device", "--only-busy", "--busy-minutes", "0.15"]
    output = subprocess.run(
        command, cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True, timeout=90
    ).stdout
    figures = json.loads(output)
    assert figures["busy_turns"] > 0
    assert (figures["overflows"], figures["underflows"]) == (0, 0)
