"""What stands in settings files and the environment, and whether it is what a setting takes.

Every error names the file and line or the variable, the value, and what was expected. Which settings there are is
sections.py's to say.
"""

from __future__ import annotations

import dataclasses
import difflib
import logging
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.errors import ConfigError

log = logging.getLogger(__name__)

Found = dict[str, tuple[object, str]]
"""Setting, as "server.port" → (value as it was written, where)."""


def is_readable(file: Path) -> bool:
    """False for a file that is missing, or on a disk that is damaged; the log says which."""
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except FileNotFoundError:
        return False
    except OSError as error:  # a damaged card
        log.warning("%s cannot be read (%s); its settings are left out", file, error.strerror)
        return False
    return True


def from_toml(file: Path, table: Mapping[str, object]) -> Found:
    """A TOML file. table: by the names that are known. Raises ConfigError."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))  # Windows editors put a byte order mark
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from error
    flat: dict[str, object] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{inner}": v for inner, v in value.items()})
        else:
            flat[key] = value
    for key in flat:
        if key not in table:
            raise ConfigError(f"{file}: unknown setting {key!r}{_nearest(key, table)}")
    return {key: (value, str(file)) for key, value in flat.items()}


def parse_env_file(file: Path) -> list[tuple[str, str, str]]:
    """[(name, value, "FILE line N")] of a .env file: NAME=value, comments, blank lines, optional quotes and export."""
    pairs = []
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ConfigError(f"{file} line {number}: expected NAME=value, found {line.strip()[:60]!r}")
        value = value.strip()
        if value[:1] in ("'", '"'):
            end = value.find(value[0], 1)
            if end < 0:
                raise ConfigError(f"{file} line {number}: the quote {value[0]} is never closed")
            value = value[1:end]
        else:
            value = value.split(" #")[0].rstrip()
        pairs.append((name.strip(), value, f"{file} line {number}"))
    return pairs


def from_pairs(pairs: list[tuple[str, str, str]], names: Mapping[str, str]) -> Found:
    """Other programs' names pass; a misspelt one of ours does not."""
    found: Found = {}
    for name, value, source in pairs:
        if name in names:
            found[names[name]] = (value, source)
        elif name.startswith("STIMME_") or (
            source != "the environment" and difflib.get_close_matches(name, names, 1, 0.85)
        ):
            raise ConfigError(f"{source}: unknown setting {name!r}{_nearest(name, names)}")
    return found


def _nearest(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else "; `stimme check` lists all settings"


def checked(one: dataclasses.Field[Any], raw: object, label: str) -> object:
    """The value in its setting's type and bounds, or ConfigError."""
    default, meta = one.default, one.metadata
    if isinstance(default, bool):
        words = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)
        value = raw if isinstance(raw, bool) else words.get(str(raw).lower())
        if value is None:
            raise ConfigError(f"{label}: {raw!r} is neither true nor false")
        return value
    if isinstance(default, int | float):
        return _number(raw, default, meta, label)
    if isinstance(default, tuple):
        parts = raw.split(",") if isinstance(raw, str) else raw
        if not isinstance(parts, list | tuple):
            raise ConfigError(f"{label}: {raw!r}: expected a list of names")
        names = tuple(str(part).strip() for part in parts if str(part).strip())
        if unknown := [name for name in names if meta["choices"] and name not in meta["choices"]]:
            raise ConfigError(f"{label}: {unknown[0]!r}: expected {' or '.join(meta['choices'])}")
        return names
    if not isinstance(raw, str) or (meta["choices"] and raw not in meta["choices"]):
        expected = " or ".join(meta["choices"]) or "text"
        raise ConfigError(f"{label}: {raw!r}: expected {expected}")
    return raw


def _number(raw: object, default: int | float, meta: Mapping[str, Any], label: str) -> int | float:
    whole = isinstance(default, int)
    unit = f" of {meta['unit']}" if meta["unit"] else ""
    kind = ("an even whole number" if meta["even"] else "a whole number") if whole else "a number"
    wanted = f"expected {kind}{unit} from {meta['low']:g} to {meta['high']:g}"
    try:
        value = (int(raw) if whole else float(raw)) if isinstance(raw, str | int | float) else None
        if isinstance(raw, bool) or value is None or (whole and value != float(raw)):  # type: ignore[arg-type]
            raise ValueError
    except (ValueError, OverflowError):
        raise ConfigError(f"{label}: {raw!r}: {wanted}") from None
    if not meta["low"] <= value <= meta["high"] or (meta["even"] and value % 2):
        raise ConfigError(f"{label}: {raw!r}: {wanted}")
    return value
