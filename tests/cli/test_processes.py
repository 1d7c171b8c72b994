"""Several web processes: what only one of them may offer."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.cli import processes
from appliance.config import Config, load

SETTINGS = """
[device]
enabled = true
[clients]
wyoming = true
vosk = true
mqtt = "mqtt://broker"
openai = true
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "stimme.toml"
    file.write_text(SETTINGS)
    return file


def started(index: int, settings: Path) -> Config:
    """The settings of one process, where they stand in a file that all of them read."""
    return load(settings, environment=processes._environment(index, {"STIMME_PAGE_PORT": "8080"}))


def test_the_first_process_alone_has_what_only_one_may_have(settings: Path) -> None:
    first, second = started(0, settings), started(1, settings)
    assert first.device.enabled and first.clients.wyoming and first.clients.vosk and first.clients.mqtt
    assert not (second.device.enabled or second.clients.wyoming or second.clients.vosk or second.clients.mqtt)
    assert first.clients.openai and second.clients.openai, "on the page's port, which all share"
    assert first.server.page_port == second.server.page_port == 8080
    assert first.server.shares_ports and second.server.shares_ports


def test_systemd_is_spoken_with_by_the_parent_only(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    assert all("NOTIFY_SOCKET" not in processes._environment(index, {}) for index in range(2))
