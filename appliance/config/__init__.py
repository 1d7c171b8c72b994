"""Settings: what there is, what it means, where its value came from. The only reader of files and environment for them.

`load()` takes, later ones winning: defaults, the settings files, `.env`, the environment, the command line.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.config.files import checked, from_pairs, from_toml, is_readable, parse_env_file
from appliance.config.sections import (
    ClientsConfig,
    DeviceConfig,
    EndpointConfig,
    FarmConfig,
    HelpersConfig,
    PlaceConfig,
    ServerConfig,
    SpeechConfig,
    StreamingConfig,
    UpdateConfig,
    setting,
)
from appliance.errors import ConfigError
from appliance.language import LANGUAGES, Language

__all__ = [
    "Config",
    "ClientsConfig",
    "DeviceConfig",
    "EndpointConfig",
    "FarmConfig",
    "HelpersConfig",
    "PlaceConfig",
    "ServerConfig",
    "SpeechConfig",
    "StreamingConfig",
    "UpdateConfig",
    "load",
    "settings",
]

APPLIANCE_FILE = Path("/etc/stimme/stimme.toml")
"""The image's own settings: who it serves, where its models are."""

BOOT_FILE = Path("/boot/firmware/stimme.toml")
"""The person's, on the part of the card that every computer can read."""


@dataclass(frozen=True)
class Config:
    """Everything in force. `sources` maps "server.port" to where the value came from."""

    language: Language = setting("en", "STIMME_LANGUAGE", "language of the device", choices=LANGUAGES)
    state_directory: str = setting("", "STIMME_STATE", "where timers are kept; empty: the user's state directory")
    skills_directory: str = setting(
        "", "STIMME_SKILLS", "where your own skills are (docs/skills.md); empty: `skills` in the state directory"
    )
    log_speech: bool = setting(False, "STIMME_LOG_SPEECH", "write what people say to the log")
    streaming: StreamingConfig = field(default_factory=StreamingConfig)
    server: ServerConfig = field(default_factory=ServerConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    endpoint: EndpointConfig = field(default_factory=EndpointConfig)
    device: DeviceConfig = field(default_factory=DeviceConfig)
    update: UpdateConfig = field(default_factory=UpdateConfig)
    place: PlaceConfig = field(default_factory=PlaceConfig)
    clients: ClientsConfig = field(default_factory=ClientsConfig)
    helpers: HelpersConfig = field(default_factory=HelpersConfig)
    farm: FarmConfig = field(default_factory=FarmConfig)
    sources: Mapping[str, str] = field(default_factory=dict)

    def models_path(self) -> Path:
        """Where models live: as configured, systemd's $STATE_DIRECTORY/models, else the user's data directory."""
        service = _service_directory("STATE_DIRECTORY")
        if self.speech.models_directory or not service:
            return _own(self.speech.models_directory) or _user_directory("XDG_DATA_HOME", ".local/share") / "models"
        return service / "models"

    def state_path(self) -> Path:
        """Where timers are kept: as configured, systemd's $STATE_DIRECTORY, else the user's state directory."""
        service = _service_directory("STATE_DIRECTORY")
        return _own(self.state_directory) or service or _user_directory("XDG_STATE_HOME", ".local/state")

    def skills_path(self) -> Path:
        """Where the owner's skills are: as configured, else `skills` where timers are kept."""
        return _own(self.skills_directory) or self.state_path() / "skills"

    def cache_path(self) -> Path:
        """What can be made again at any time: systemd's $CACHE_DIRECTORY, else the user's cache directory."""
        return _service_directory("CACHE_DIRECTORY") or _user_directory("XDG_CACHE_HOME", ".cache")


def _own(path: str) -> Path | None:
    """A path as a person configured it; ~ is their home, if they have one."""
    if not path:
        return None
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(f"{path}: this user has no home directory; give the whole path") from None


def _service_directory(name: str) -> Path | None:
    """What systemd made for the service; the first one, if it made several (systemd.exec(5))."""
    first = os.environ.get(name, "").partition(":")[0]
    return Path(first) if first else None


def _user_directory(name: str, below_home: str) -> Path:
    """As the XDG base directory specification says; the temporary directory for a user without a home."""
    base = os.environ.get(name)
    if base:
        return Path(base) / "stimme"
    try:
        return Path.home() / below_home / "stimme"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"stimme-{os.getuid()}" / below_home.rpartition("/")[2]


def _sections() -> dict[str, type[Any]]:
    """The groups of settings by name, in the order of Config."""
    made: list[tuple[str, Any]] = [(one.name, one.default_factory) for one in dataclasses.fields(Config)]
    return {name: kind for name, kind in made if isinstance(kind, type) and dataclasses.is_dataclass(kind)}


def settings(config: type | object = Config, prefix: str = "") -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    """Every setting as ("server.port", its field)."""
    for one in dataclasses.fields(config):  # type: ignore[arg-type]
        if one.name in _sections() and not prefix:
            yield from settings(_sections()[one.name], f"{one.name}.")
        elif "env" in one.metadata:
            yield prefix + one.name, one


def load(
    file: Path | None = None,
    *,
    env_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Config:
    """Read all settings. file: must exist if given; without it those of an appliance are read if there are any.

    A boot partition that cannot be read any more is no reason not to start: it is as if there were none.
    overrides: {"server.port": 9000} from the command line. Raises ConfigError with the value and what was expected.
    """
    table = {path: one for path, one in settings()}
    names = {one.metadata["env"]: path for path, one in table.items()}
    found: dict[str, tuple[object, str]] = {}
    for one in (APPLIANCE_FILE, BOOT_FILE) if file is None else (file,):
        if file is not None or is_readable(one):
            found.update(from_toml(one, table))
    env_path = env_file or Path(".env")
    if os.path.isfile(env_path):  # unlike Path.is_file, no error in a directory that this user may not enter
        found.update(from_pairs(parse_env_file(env_path), names))
    elif env_file is not None:
        raise ConfigError(f"{env_file}: no such file")
    environ = os.environ if environment is None else environment
    found.update(from_pairs([(k, v, "the environment") for k, v in environ.items()], names))
    found.update({path: (value, "the command line") for path, value in (overrides or {}).items()})
    values: dict[str, object] = {}
    for path, (raw, source) in found.items():
        label = table[path].metadata["env"] if isinstance(raw, str) and not source.endswith(".toml") else path
        values[path] = checked(table[path], raw, f"{label} ({source})")
    return _build(values, {path: source for path, (_, source) in found.items()})


def _build(values: Mapping[str, object], sources: Mapping[str, str]) -> Config:
    def section(kind: type[Any], name: str) -> Any:
        return kind(**{p.split(".", 1)[1]: v for p, v in values.items() if p.startswith(f"{name}.")})

    top: dict[str, Any] = {p: v for p, v in values.items() if "." not in p}
    return Config(**top, **{name: section(kind, name) for name, kind in _sections().items()}, sources=dict(sources))
