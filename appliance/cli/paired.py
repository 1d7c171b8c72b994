"""`stimme paired`: who may come in from the network. Works beside a running assistant and without one."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path

from appliance.config import Config
from appliance.state.holder import holding_process
from appliance.state.tokens import Place, TokenStore
from appliance.stored import stored


def paired(config: Config, options: argparse.Namespace) -> int:
    """Carry out one action; returns the exit code."""
    if options.action == "code":
        return _code(config)
    with stored(config) as database:
        tokens = TokenStore(database)
        if options.action == "list":
            return _list(tokens, as_json=options.json)
        try:
            adds = options.action == "add"
            code = _add(tokens, options.name, options.role) if adds else _revoke(tokens, options.which)
        except ValueError as error:
            print(f"stimme: {error}", file=sys.stderr)
            return 2
        if database.problem:
            print(f"stimme: {database.path or 'Redis'} cannot be written: {database.problem}", file=sys.stderr)
            return 1
    _tell_the_assistant(config.state_path())
    return code


def _list(tokens: TokenStore, *, as_json: bool) -> int:
    for place in tokens.places():
        if as_json:
            print(json.dumps(vars(place), ensure_ascii=False))
        else:
            print(f"{place.id}  {place.name:24} {place.kind:8} {place.role:10} last here {_day(place)}")
    if not tokens.places() and not as_json:
        print("Nobody is paired. `stimme paired code` lets a browser in, `stimme paired add NAME` a program.")
    return 0


def _day(place: Place) -> str:
    return datetime.fromtimestamp(place.seen_s).astimezone().date().isoformat()


def _add(tokens: TokenStore, name: str, role: str) -> int:
    token, place = tokens.add(name, "program", role)
    print(
        f"{place.name} ({place.id}) may {place.role}. Its token is shown this once; send it as\n"
        f"Authorization: Bearer {token}"
    )
    return 0


def _revoke(tokens: TokenStore, which: str) -> int:
    gone = tokens.revoke(which)
    for place in gone:
        print(f"{place.name} ({place.id}) is paired no more.")
    if not gone:
        print(f"stimme: nobody is called {which!r}; `stimme paired list` names them", file=sys.stderr)
    return 0 if gone else 1


def _code(config: Config) -> int:
    """Only the running assistant knows it."""
    port = config.server.page_port
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/pair/open", b"{}", {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            print(json.load(response)["code"])
            return 0
    except urllib.error.HTTPError as error:
        with error:
            words = error.read().decode("utf-8", "replace").strip()
        print(f"stimme: no code: {words}", file=sys.stderr)
    except OSError as error:
        print(f"stimme: the assistant does not answer at port {port} ({error}); is it running?", file=sys.stderr)
    return 1


def _tell_the_assistant(state: Path) -> None:
    """A running one looks at the file at once, so that whoever was revoked goes at once."""
    if (pid := holding_process(state)) is not None:
        try:
            os.kill(pid, signal.SIGHUP)
        except OSError:
            return  # another user's: it looks by itself within seconds
