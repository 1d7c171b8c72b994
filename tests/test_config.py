"""Settings: precedence, and what a person is told about a wrong one."""

from pathlib import Path

import pytest

from appliance import config as settings
from appliance.app import choose
from appliance.config import StreamingConfig, load
from appliance.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_guides_env_file_is_understood(folder: Path) -> None:
    (folder / ".env").write_text(
        "\n# Optimierte Audio-Einstellungen\n"
        "AUDIO_CHUNK_SIZE=512\nMAX_AUDIO_DURATION=20\nSTT_WORKERS=2\nTTS_WORKERS=1\n"
        "export MAX_CONNECTIONS='150'\nPING_INTERVAL=15 # seconds\nPING_TIMEOUT=5\nOTHER_PROGRAM=yes\n"
    )
    config = load(environment={})
    assert config.streaming == StreamingConfig(chunk_size=512, max_chunk_buffer=50, stt_workers=2)
    assert (config.server.max_audio_duration_s, config.server.max_connections) == (20, 150)
    assert (config.server.ping_interval_s, config.server.ping_timeout_s) == (15, 5)
    assert config.sources["server.max_connections"].endswith(".env line 7")


def test_later_sources_win(folder: Path) -> None:
    file = folder / "stimme.toml"
    file.write_text('language = "de"\n[server]\npage_port = 1000\nport = 1001\n[streaming]\nchunk_size = 2048\n')
    (folder / ".env").write_text("STIMME_PORT=2001\nSTIMME_PAGE_PORT=2000\n")
    config = load(file, environment={"STIMME_PAGE_PORT": "3000"}, overrides={"language": "en"})
    assert (config.language, config.server.page_port, config.server.port) == ("en", 3000, 2001)
    assert config.streaming.chunk_size == 2048
    assert config.sources["language"] == "the command line"


def test_the_persons_file_wins_over_the_appliances(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    appliance, person = "[server]\nport = 1\npage_port = 80\n", "[server]\nport = 2\n"
    for name, content in (("APPLIANCE_FILE", appliance), ("BOOT_FILE", person)):
        (folder / name).write_text(content)
        monkeypatch.setattr(settings, name, folder / name)
    config = load(environment={})
    assert (config.server.port, config.server.page_port) == (2, 80)


def test_a_boot_partition_that_cannot_be_read_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "BOOT_FILE", folder)  # reading a directory fails as a damaged file does
    assert load(environment={}).server.port == 8123
    assert "its settings are left out" in caplog.text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("AUDIO_CHUNK_SIZE=fast", ["AUDIO_CHUNK_SIZE", ".env line 1", "'fast'", "even whole number of bytes", "128"]),
        ("AUDIO_CHUNK_SIZE=1023", ["'1023'", "even"]),
        ("AUDIO_CHUNK_SIZE=4", ["'4'", "from 128 to 16384"]),
        ("MAX_AUDIO_DURATION=0", ["'0'", "seconds"]),
        ("PING_TIMEOUT=nan", ["'nan'", "seconds"]),
        ("MAX_CONECTIONS=5", ["MAX_CONECTIONS", "did you mean 'MAX_CONNECTIONS'"]),
        ("STIMME_COLOUR=red", ["STIMME_COLOUR"]),
        ("STIMME_LANGUAGE=fr", ["'fr'", "en or de"]),
        ("STIMME_LANGUAGES=en,fr", ["STIMME_LANGUAGES", "'fr'", "en or de"]),
        ("STIMME_LOG_SPEECH=perhaps", ["'perhaps'", "true nor false"]),
        ("\nno equals sign", [".env line 2", "NAME=value"]),
        ('STIMME_HOST="127.0.0.1', ["never closed"]),
    ],
)
def test_a_wrong_env_line_says_which_value_and_what_was_expected(folder: Path, content: str, words: list[str]) -> None:
    (folder / ".env").write_text(content)
    with pytest.raises(ConfigError) as caught:
        load(environment={})
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[server]\nprot = 1", ["unknown setting 'server.prot'", "server.port"]),
        ("language = 3", ["3", "en or de"]),
        ("[server]\nport = true", ["True", "whole number"]),
        ("[server", ["not valid TOML"]),
    ],
)
def test_a_wrong_settings_file_says_so(folder: Path, content: str, words: list[str]) -> None:
    file = folder / "stimme.toml"
    file.write_text(content)
    with pytest.raises(ConfigError) as caught:
        load(file, environment={})
    for word in words:
        assert word in str(caught.value)


def test_a_missing_settings_file_is_an_error_only_when_asked_for(folder: Path) -> None:
    assert load(environment={}).server.port == 8123
    with pytest.raises(ConfigError, match="no such file|cannot be read"):
        load(folder / "none.toml", environment={})


def test_the_byte_order_mark_of_windows_editors_is_passed_over(folder: Path) -> None:
    (folder / ".env").write_bytes("MAX_CONNECTIONS=5\r\n".encode("utf-8-sig"))
    file = folder / "stimme.toml"
    file.write_bytes("[server]\r\nport = 8200\r\n".encode("utf-8-sig"))
    config = load(file, environment={})
    assert (config.server.max_connections, config.server.port) == (5, 8200)


@pytest.mark.parametrize(
    ("settings", "loaded"),
    [("", {"en", "de"}), ("en", {"en"}), ("de", {"en", "de"})],
    ids=["all", "one", "its own too"],
)
def test_only_the_languages_that_are_wanted_are_loaded(tmp_path: Path, settings: str, loaded: set[str]) -> None:
    config = load(environment={"STIMME_LANGUAGES": settings})
    for kind in ("recognizer", "voice"):
        assert set(choose(config, kind, tmp_path, unpack=False)) == loaded
