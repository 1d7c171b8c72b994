from __future__ import annotations

from pathlib import Path

import pytest

from appliance.device.settings import FILE, DeviceState, load, save


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    save(tmp_path / "new", DeviceState(35, True))
    assert load(tmp_path / "new") == DeviceState(35, True)


def test_the_first_start_has_defaults(tmp_path: Path) -> None:
    assert load(tmp_path) == DeviceState()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        '{"volume": "loud"}',
        '{"volume": 101}',
        '{"volume": true}',
        '{"muted": 1}',
        '{"volume": null}',
    ],
)
def test_a_damaged_file_gives_defaults_and_a_line_in_the_log(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_text(content)
    assert load(tmp_path) == DeviceState()
    assert "volume and mute start afresh" in caplog.text


def test_a_file_of_another_version_keeps_what_is_known(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"volume": 20, "brightness": 3}')
    assert load(tmp_path) == DeviceState(20, False)


def test_a_directory_that_cannot_be_written_costs_no_more_than_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("a file in the way")
    save(tmp_path / "state", DeviceState())
    assert "will not survive a restart" in caplog.text
