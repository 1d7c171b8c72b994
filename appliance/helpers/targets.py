"""The addresses that the owner named in the settings: requests go there and nowhere else."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from appliance.config import HelpersConfig
from appliance.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9_-]+")
MOST_TOKEN_CHARACTERS = 4096


@dataclass(frozen=True)
class Target:
    """Where requests may go: scheme, host and port are fixed; `path` stands before every request's own."""

    name: str
    scheme: str
    host: str
    port: int
    path: str = ""
    query: str = ""

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


_PORTS = {"http": 80, "https": 443}


def target(name: str, url: str, setting: str) -> Target:
    """Raises ConfigError for what is no plain http or https address, naming the setting."""
    wanted = f"{setting}: {url!r}, expected http://HOST:PORT or https://HOST"
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{wanted}: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname or any(not " " < each < "\x7f" for each in url.strip()):
        raise ConfigError(wanted)
    if parts.username is not None or parts.fragment:
        raise ConfigError(f"{wanted}; a password belongs into a file of its own")
    return Target(name, parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path.rstrip("/"), parts.query)


def targets(entries: Iterable[str]) -> dict[str, Target]:
    """ "lamp=http://192.168.1.20" and so on, by name. Raises ConfigError."""
    return {name: target(name, value, f"helpers.targets: {name}") for name, value in _named(entries, "helpers.targets")}


def addresses(config: HelpersConfig) -> dict[str, Target]:
    """Where the helpers are that are on, by name: "home", "chat", "webhook", "weather". Raises ConfigError."""
    urls = {
        "home": ("Home Assistant", config.home_assistant, "helpers.home_assistant"),
        "chat": ("the language model", config.chat, "helpers.chat"),
        "webhook": ("the webhook", config.webhook, "helpers.webhook"),
        "weather": ("the weather service", config.weather, "helpers.weather"),
    }
    return {helper: target(name, url, setting) for helper, (name, url, setting) in urls.items() if url}


def commands(entries: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """ "lamp=/usr/local/bin/lamp {state}" as program and arguments, by name. Raises ConfigError."""
    found = {}
    for name, value in _named(entries, "helpers.commands"):
        try:
            words = tuple(shlex.split(value))
        except ValueError as error:
            raise ConfigError(f"helpers.commands: {name}: {value!r}: {error}") from None
        if not words or not words[0].startswith("/"):
            raise ConfigError(f"helpers.commands: {name}: {value!r}, expected the whole path of a program")
        found[name] = words
    return found


def token(file: str, setting: str) -> str:
    """A secret from a file of its own; "" without one. Raises ConfigError."""
    if not file:
        return ""
    try:
        found = Path(file).expanduser().read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        raise ConfigError(f"{setting}: {file}: cannot be read: {error}") from error
    if not found or len(found) > MOST_TOKEN_CHARACTERS or any(not " " < each < "\x7f" for each in found):
        raise ConfigError(f"{setting}: {file}: expected one line with a token")
    return found


def _named(entries: Iterable[str], setting: str) -> Iterable[tuple[str, str]]:
    seen: Mapping[str, str] = {}
    for entry in entries:
        name, equals, value = (part.strip() for part in entry.partition("="))
        if not equals or not _NAME.fullmatch(name) or not value:
            raise ConfigError(f"{setting}: {entry!r}, expected NAME=value")
        if name in seen:
            raise ConfigError(f"{setting}: {name!r} stands there a second time")
        seen = {**seen, name: value}
        yield name, value
