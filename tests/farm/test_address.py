"""STIMME_REDIS: what is understood, what a person is told otherwise; and that nothing of it is loaded without."""

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.config import FarmConfig
from appliance.errors import ConfigError
from appliance.farm.address import Address, address


def test_an_address_with_tls_a_user_and_a_password_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    (tmp_path / "ca.pem").write_text("…")
    found = address(
        FarmConfig("rediss://stimme@farm.example:7000/3", str(tmp_path / "password"), str(tmp_path / "ca.pem"))
    )
    assert found == Address("farm.example", 7000, 3, True, "stimme", "s3cret", str(tmp_path / "ca.pem"))
    assert "s3cret" not in f"{found} {found!r}"


def test_only_the_host_is_needed() -> None:
    assert address(FarmConfig("redis://farm")) == Address("farm", 6379, 0)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("farm:6379", "expected redis://"),
        ("http://farm", "expected redis://"),
        ("redis://", "expected redis://"),
        ("redis://farm/one", "expected redis://"),
        ("redis://farm:port", "expected redis://"),
        ("redis://me:s3cret@farm", "STIMME_REDIS_PASSWORD_FILE"),
        ("redis://me:s3cret@farm/one", "expected redis://"),
    ],
)
def test_a_wrong_address_says_what_was_expected_and_no_password(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        address(FarmConfig(url))
    assert "s3cret" not in str(error.value)


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    for config, name in (
        (FarmConfig("redis://farm", password_file=str(tmp_path / "no")), "STIMME_REDIS_PASSWORD_FILE"),
        (FarmConfig("rediss://farm", authority=str(tmp_path / "no")), "STIMME_REDIS_CA"),
        (FarmConfig("redis://farm", authority=str(tmp_path)), "rediss://"),
    ):
        with pytest.raises(ConfigError, match=name):
            address(config)


def test_without_a_farm_no_redis_library_is_loaded() -> None:
    look = "import sys, appliance.app, appliance.cli.commands; print([m for m in sys.modules if 'redis' in m])"
    shown = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
