"""STIMME_REDIS: where Redis is, as whom, and how it is known to be the right one. Knows no Redis library."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from appliance.config import FarmConfig
from appliance.errors import ConfigError

PORT = 6379
_EXPECTED = "expected redis://[USER@]HOST[:PORT][/NUMBER], or rediss:// for TLS"


@dataclass(frozen=True)
class Address:
    """One Redis server's database."""

    host: str
    port: int = PORT
    database: int = 0
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    authority: str | None = None
    """Path of the PEM file whose authority signed the server's certificate; None: those that the system trusts."""

    def __str__(self) -> str:
        return f"redis{'s' if self.tls else ''}://{self.host}:{self.port}/{self.database}"


def address(config: FarmConfig) -> Address:
    """What the settings say. Raises ConfigError naming the setting and what was expected."""
    url = config.redis
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"STIMME_REDIS: {url!r}: {error}; {_EXPECTED}") from error
    number = parts.path.strip("/")
    wrong = parts.scheme not in ("redis", "rediss") or not parts.hostname or parts.query or parts.fragment
    if wrong or not (not number or number.isascii() and number.isdecimal()):
        raise ConfigError(f"STIMME_REDIS: {_shown(url)!r}: {_EXPECTED}")
    if parts.password is not None:
        raise ConfigError(
            "STIMME_REDIS holds a password, which logs and `stimme check` would show. Write it into a file and name "
            "that in STIMME_REDIS_PASSWORD_FILE"
        )
    tls = parts.scheme == "rediss"
    if config.authority and not tls:
        raise ConfigError(f"STIMME_REDIS_CA is set, but STIMME_REDIS is {url!r}, without TLS; did you mean rediss://?")
    if config.authority and not Path(config.authority).is_file():
        raise ConfigError(f"STIMME_REDIS_CA: {config.authority}: no such file")
    assert parts.hostname is not None
    return Address(
        parts.hostname,
        port or PORT,
        int(number or 0),
        tls,
        unquote(parts.username) if parts.username else None,
        _password(config.password_file),
        config.authority or None,
    )


def _password(file: str) -> str | None:
    if not file:
        return None
    try:
        password = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"STIMME_REDIS_PASSWORD_FILE: {file}: cannot be read: {error}") from error
    if not password or "\n" in password:
        raise ConfigError(f"STIMME_REDIS_PASSWORD_FILE: {file}: expected one line with the password")
    return password


def _shown(url: str) -> str:
    """The address without what might be a password."""
    before, at, after = url.rpartition("@")
    return f"{before.partition(':')[0]}://…@{after}" if at else url
