"""The whole suite in two lanes, on a core each (pytest-xdist): what lives in real time, and everything else.

What lives in real time, by the sound card, a browser's microphone, a crowd or a flood, runs one after the other in one
lane from the start, as it would without lanes, and the rest, file by file, gives way to it.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest

LIVE = (
    "audio/",
    "cli/test_record_test.py",
    "device/",
    "faults/test_crowding.py",
    "faults/test_floods.py",
    "faults/test_long_speech.py",
    "native/test_portaudio.py",
    "native/test_sanitized.py",
    "server/test_hostile.py",
    "server/test_load.py",
    "server/test_metrics.py",
    "test_whole_path.py",
    "web/test_slow_links.py",
)
"""Files and folders below tests/."""

NICE = 10
"""The other lane's (nice(2)): a tenth of the live one's share where both want the same core."""


def is_live(nodeid: str) -> bool:
    """nodeid: as pytest gives it, "tests/device/test_local.py::test_…"."""
    return nodeid.removeprefix("tests/").startswith(LIVE)


def scheduler(config: pytest.Config, log: Any) -> object:
    """Hands the lanes their tests: all that is live first and together, then file by file in their order."""
    from xdist.scheduler import LoadScopeScheduling

    class Lanes(LoadScopeScheduling):  # type: ignore[misc, unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            return "live" if is_live(nodeid) else nodeid.partition("::")[0]

    config.option.loadscopereorder = False
    return Lanes(config, log)


def give_way(item: pytest.Item) -> None:
    """In the lane that is not live, from its first test on; without lanes nothing."""
    if hasattr(item.config, "workerinput") and not is_live(item.nodeid):
        _give_way()


@cache
def _give_way() -> None:
    os.nice(NICE)
