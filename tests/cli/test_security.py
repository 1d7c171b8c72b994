"""`stimme check --security` and `stimme paired`, as somebody at the terminal sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from appliance.server.certificates import Certificates
from tests.support.server import ROOT


def stimme(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "STIMME_STATE": str(folder / "state")} | settings
    return subprocess.run(
        [sys.executable, "-m", "appliance", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def rows(folder: Path, **settings: str) -> dict[str, dict[str, str]]:
    found = json.loads(stimme(folder, "check", "--security", "--json", **settings).stdout)
    return {row["what"]: row for row in found if row["what"] != "the assistant's user"}


def test_by_default_nothing_is_open_to_the_network(tmp_path: Path) -> None:
    found = rows(tmp_path)
    assert all(row["advice"] == "" for row in found.values())
    assert "this machine" in found["ws://127.0.0.1:8123"]["to_whom"]
    assert found["paired"]["to_whom"] == "nobody"


def test_what_is_dangerous_is_named_with_what_to_do(tmp_path: Path) -> None:
    found = rows(tmp_path, STIMME_HOST="0.0.0.0", STIMME_PAIRING="off", STIMME_LOG_SPEECH="1")
    assert "STIMME_PAIRING=network" in found["ws://0.0.0.0:8123"]["advice"]
    assert found["what people say"]["advice"]
    assert "--lan" in rows(tmp_path, STIMME_HOST="0.0.0.0")["http://0.0.0.0:8080"]["advice"]


def test_a_program_is_paired_listed_and_revoked_without_a_running_assistant(tmp_path: Path) -> None:
    added = stimme(tmp_path, "paired", "add", "radio", "--role", "configure")
    assert added.returncode == 0 and "Authorization: Bearer " in added.stdout
    listed = json.loads(stimme(tmp_path, "paired", "list", "--json").stdout)
    assert (listed["name"], listed["kind"], listed["role"]) == ("radio", "program", "configure")
    assert added.stdout.split()[-1] not in json.dumps(listed)
    assert stimme(tmp_path, "paired", "revoke", "nobody").returncode == 1
    assert "no more" in stimme(tmp_path, "paired", "revoke", listed["id"]).stdout
    assert "Nobody is paired" in stimme(tmp_path, "paired", "list").stdout


def test_a_code_needs_the_running_assistant(tmp_path: Path) -> None:
    done = stimme(tmp_path, "paired", "code", STIMME_PAGE_PORT="9")
    assert done.returncode == 1 and "port 9" in done.stderr


def test_the_fingerprint_is_shown_at_the_device_for_comparison(tmp_path: Path) -> None:
    authority = Certificates(tmp_path / "state" / "tls", lambda: ["stimme-ab12.local"], lambda: []).authority
    shown = stimme(tmp_path, "check", "--security", STIMME_LAN="1").stdout
    assert " · ".join(authority.words()) in shown and authority.fingerprint in shown


def test_programs_that_may_come_in_are_listed_with_where_and_who(tmp_path: Path) -> None:
    assert rows(tmp_path, STIMME_WYOMING="1")["tcp://127.0.0.1:10300 (Wyoming, for Home Assistant)"] == {
        "what": "tcp://127.0.0.1:10300 (Wyoming, for Home Assistant)",
        "to_whom": "this machine",
        "advice": "",
    }
    found = rows(tmp_path, STIMME_WYOMING="1", STIMME_CLIENTS="0.0.0.0/0,10.1.2.3")
    row = found["tcp://0.0.0.0:10300 (Wyoming, for Home Assistant)"]
    assert "10.1.2.3" in row["to_whom"] and "your own network" in row["advice"]


def test_a_brokers_password_is_shown_nowhere_and_a_bare_connection_is_named(tmp_path: Path) -> None:
    url = "mqtt://me:hunter2@broker.home.arpa"
    assert (
        "mqtts://"
        in rows(tmp_path, STIMME_MQTT=url)["broker.home.arpa (nothing listens here) (MQTT, outbound)"]["advice"]
    )
    assert "hunter2" not in stimme(tmp_path, "check", "--security", STIMME_MQTT=url).stdout
    settings = stimme(tmp_path, "check", "--json", STIMME_MQTT=url).stdout
    assert "(set)" in settings and "hunter2" not in settings
