"""`stimme check --security`: what is open to whom, and what to do about it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.cli.doors import doors
from appliance.config import Config
from appliance.helpers.summary import helper_rows
from appliance.server.authority import stored_authority
from appliance.server.names import own_addresses, own_names
from appliance.state.database import Database
from appliance.state.tokens import TokenStore

STATE_FILE = "stimme.sqlite3"
HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Row:
    """One thing that is open, or kept. advice: empty when nothing needs to be done."""

    what: str
    to_whom: str
    advice: str = ""


def check_security(config: Config, *, as_json: bool) -> int:
    """Print it; exit code 1 if something should be done."""
    parts = (_listeners, _programs, _certificate, _paired, _files, _helpers, _privacy)
    rows = [row for part in parts for row in part(config)]
    if as_json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
    else:
        for row in rows:
            print(f"{row.what:44} {row.to_whom}")
            if row.advice:
                print(f"{'':44} → {row.advice}")
        todo = sum(bool(row.advice) for row in rows)
        print(f"\n{todo} things to do." if todo else "\nNothing to do.")
    return 1 if any(row.advice for row in rows) else 0


def _listeners(config: Config) -> Iterable[Row]:
    server = config.server
    off = server.pairing == "off"
    everybody = "everybody who reaches it" if off else "those who were paired"
    here = "those who were paired" if server.pairing == "always" else "this machine, and everybody who works on it"
    advice = "STIMME_PAIRING=network lets only paired places in" if off else ""
    reachable = server.host not in HERE
    addresses = ", ".join(str(address) for address in own_addresses()) or "no network"
    if server.lan:
        yield Row(f"https://{own_names()[0]}:{server.secure_port} ({addresses})", everybody, advice)
        yield Row(f"http on port {server.page_port}", f"{here}; to others it only shows the way to HTTPS")
    elif reachable:
        yield Row(
            f"http://{server.host}:{server.page_port}",
            everybody,
            advice or "what is said goes over the network unencrypted, and tokens too; use --lan",
        )
    else:
        yield Row(f"http://{server.host}:{server.page_port}", here)
    if reachable:
        yield Row(
            f"ws://{server.host}:{server.port}",
            everybody,
            advice or "unencrypted: whoever is in between hears all and sees tokens; wss at the secure port is not",
        )
    else:
        yield Row(f"ws://{server.host}:{server.port}", here)
    for origin in server.origins:
        yield Row(
            f"pages at {origin}",
            "may connect from a browser that may",
            "unencrypted pages can be changed on their way; serve it over https"
            if origin.startswith("http://") and not any(name in origin for name in HERE)
            else "",
        )


def _programs(config: Config) -> Iterable[Row]:
    for door in doors(config):
        yield Row(f"{door.where} ({door.protocol})", door.to_whom, door.advice)


def _certificate(config: Config) -> Iterable[Row]:
    if not config.server.lan:
        return
    if config.server.certificate:
        yield Row(f"certificate {config.server.certificate}", "your own; you renew it")
        return
    authority = stored_authority(config.state_path() / "tls")
    if authority is None:
        yield Row("certificate authority", "is made at the first start")
        return
    yield Row("certificate authority", "made by this device, for its names and private addresses only")
    yield Row("its fingerprint, as new browsers are shown it", " · ".join(authority.words()))
    yield Row("", f"SHA-256 {authority.fingerprint}")


def _paired(config: Config) -> Iterable[Row]:
    file = config.state_path() / STATE_FILE
    if not file.exists():
        yield Row("paired", "nobody")
        return
    with Database(file) as database:
        places = TokenStore(database).places()
    for place in places:
        yield Row(f"paired: {place.name} ({place.id})", f"{place.kind}, may {place.role}")
    if not places:
        yield Row("paired", "nobody")


def _files(config: Config) -> Iterable[Row]:
    state = config.state_path()
    for path in (state, state / "tls", state / "tls" / "authority.key", state / "tls" / "server.key"):
        if path.exists() and _is_open(path):
            yield Row(str(path), "other users of this machine can read it", f"chmod go-rwx {path}")
    if os.geteuid() == 0:
        yield Row("the assistant's user", "root, if it is started as you are now", "start it as a user of its own")


def _is_open(path: Path) -> bool:
    mode = path.stat().st_mode
    return bool(mode & (stat.S_IRWXG | stat.S_IRWXO)) if path.is_file() else bool(mode & stat.S_IWOTH)


def _helpers(config: Config) -> Iterable[Row]:
    """What leaves the house; nothing unless the owner named somebody."""
    for row in helper_rows(config.helpers):
        if row.where:
            plain = row.where.startswith("http://") and not any(f"//{name}" in row.where for name in HERE)
            advice = "unencrypted: whoever is in between reads it, and the token; https is not"
            yield Row(f"{row.name}: {row.where}", f"gets {row.sends}", advice if plain and row.has_token else "")


def _privacy(config: Config) -> Iterable[Row]:
    yield Row(
        "what people say",
        "is written to the log" if config.log_speech else "is kept nowhere",
        "STIMME_LOG_SPEECH=false keeps it out of the log" if config.log_speech else "",
    )
