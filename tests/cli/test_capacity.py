"""What this machine can do at once is measured with the real models, once."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from appliance.cli.capacity import Capacity, capacity, processor, remembered
from appliance.config import Config, load
from tests.support.server import MODELS


def config(state: Path, **further: object) -> Config:
    overrides = {"state_directory": str(state), "speech.models_directory": str(MODELS)} | further
    return load(environment={}, overrides=overrides)


async def test_it_is_measured_once_and_remembered(tmp_path: Path) -> None:
    assert await capacity(config(tmp_path), measuring=False) is None
    assert not list(tmp_path.iterdir()), "asking writes nothing"  # noqa: ASYNC240
    measured = await capacity(config(tmp_path), measuring=True)
    assert measured is not None and measured.hears_x_realtime > 1 and measured.speaks_x_realtime > 0.5
    file = tmp_path / "capacity.json"
    fields = json.loads(file.read_text())
    file.write_text(json.dumps(fields | {"hears_x_realtime": 12.5}))
    found = await capacity(config(tmp_path), measuring=True)
    assert found is not None and found.hears_x_realtime == 12.5, "remembered"
    again = await capacity(config(tmp_path, **{"streaming.tts_workers": 2}), measuring=True)
    assert again is not None and again.hears_x_realtime != 12.5, "other threads, other speed"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"key":["x"]}', '{"key":["x"],"speed":1}', "\x00"])
def test_a_damaged_memory_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "capacity.json").write_text(content)
    assert remembered(tmp_path / "capacity.json", ["x"]) is None
    assert remembered(tmp_path / "missing.json", ["x"]) is None


def test_people_are_fewer_than_the_speed_allows() -> None:
    assert (Capacity(50.0, 10.0).speakers, Capacity(50.0, 10.0).listeners) == (30, 6)
    assert (Capacity(0.0, 0.9).speakers, Capacity(0.0, 0.9).listeners) == (0, 0)


def test_the_processor_is_called_what_the_kernel_calls_it() -> None:
    kernel = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    if "model name" in kernel or "\nModel" in kernel:
        assert f": {processor()}\n" in kernel
    else:
        assert processor() == platform.machine()
