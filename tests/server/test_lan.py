"""From another host, in a real Chromium: led to HTTPS, trusting, paired, a whole spoken turn, revoked."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soxr
from playwright.sync_api import Browser, sync_playwright

from appliance.audio.pcm import RATE, floats, s16le, write_wav
from tests.support.browser import FLAGS, hold_and_speak
from tests.support.server import RunningServer, running_server
from tests.support.speech import spoken_now
from tests.support.two_hosts import TwoHosts, can_be_made, trusting_home, two_hosts, wrapper
from tests.web.visit import KEEPS_ITSELF

FETCH = "async (path) => { const answer = await fetch(path); return [answer.status, await answer.text()]; }"

pytestmark = pytest.mark.skipif(not can_be_made(), reason="network namespaces need root")


@pytest.fixture(scope="module")
def hosts() -> Iterator[TwoHosts]:
    with two_hosts() as hosts:
        yield hosts


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def server(hosts: TwoHosts, state: Path) -> Iterator[RunningServer]:
    settings = {"STIMME_LAN": "1", "STIMME_STATE": str(state), "STIMME_PAGE_PORT": "8080", "STIMME_SECURE_PORT": "8443"}
    with running_server(settings, prefix=hosts.at_device()) as server:
        yield server


@pytest.fixture(scope="module")
def name(server: RunningServer) -> str:
    found = re.search(r"https://(stimme-[0-9a-f]{4}\.local):8443", server.log.read_text())
    assert found
    return found[1]


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("speech") / "question.wav"
    write_wav(path, s16le(soxr.resample(floats(spoken_now(["what is seven times eight"])[0]), RATE, 48_000)), 48_000)
    return path


@contextmanager
def browser(
    folder: Path, hosts: TwoHosts, name: str, authority: Path | None, speech: Path | None = None
) -> Iterator[Browser]:
    """Chromium at the other host, which knows the device's name and trusts `authority`."""
    program = shutil.which("chromium")
    assert program, "Chromium is missing; `make setup-test` installs it"
    flags = [*FLAGS, f"--host-resolver-rules=MAP {name} {hosts.address}"]
    flags += [f"--use-file-for-fake-audio-capture={speech}%noloop"] if speech else []
    folder.mkdir()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=wrapper(folder, hosts, program),
            args=flags,
            env={**os.environ, "HOME": str(trusting_home(folder / "home", authority))},
        )
        yield launched
        launched.close()


def code(hosts: TwoHosts) -> str:
    """As somebody at the device gets it."""
    done = subprocess.run(
        hosts.at_device(sys.executable, "-m", "appliance", "paired", "code"),
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"STIMME_PAGE_PORT": "8080"},
    )
    return done.stdout.strip()


def test_who_does_not_trust_yet_is_led_there_and_nowhere_else(
    tmp_path: Path, hosts: TwoHosts, server: RunningServer, name: str
) -> None:
    with browser(tmp_path / "stranger", hosts, name, None) as chromium:
        page = chromium.new_page(locale="en-GB")
        page.goto(f"http://{hosts.address}:8080/")
        page.wait_for_function("() => document.getElementById('words').textContent.split('·').length === 4")
        assert f"https://{hosts.address}:8443" in page.inner_text(".there >> nth=0")
        assert "cannot use your microphone" in page.inner_text("body")
        assert page.get_attribute("#state", "data-state") == "waiting"
        assert page.locator("details[open]").get_attribute("data-platform") == "linux"
        page.wait_for_timeout(2500)
        assert page.get_attribute("#state", "data-state") == "waiting"
        for path, words in (("/app.js", "only the way to HTTPS"), ("/paired", "paired"), ("/metrics", "paired")):
            status, text = page.evaluate(FETCH, path)
            assert status in (401, 404) and words in text
        with page.expect_download() as download:
            page.evaluate("() => document.querySelector('a[href=\"/ca.crt\"]').click()")
        assert b"\x30\x82" == download.value.path().read_bytes()[:2], "DER"
        with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(f"https://{name}:8443/")


def test_who_trusts_is_paired_and_speaks_over_https_until_revoked(
    tmp_path: Path, hosts: TwoHosts, server: RunningServer, name: str, state: Path, speech: Path
) -> None:
    with browser(tmp_path / "paired", hosts, name, state / "tls" / "authority.crt", speech) as chromium:
        context = chromium.new_context(permissions=["microphone"], locale="en-GB")
        page = context.new_page()
        page.goto(f"http://{hosts.address}:8080/")
        page.wait_for_selector("#state[data-state=trusted]")
        page.goto(f"https://{name}:8443/")
        page.wait_for_selector("#code")
        page.fill("#code", "000000" if code(hosts) != "000000" else "000001")
        page.click("button[type=submit]")
        page.wait_for_function("() => document.getElementById('error').textContent.includes('not the code')")
        page.fill("#code", code(hosts))
        page.fill("#name", "kitchen tablet")
        page.click("button[type=submit]")
        page.wait_for_function("() => window.voiceAssistant && voiceAssistant.getMetrics().connected")
        assert page.evaluate("() => isSecureContext")
        assert page.url == f"https://{name}:8443/"
        hold_and_speak(page, 1.6)
        said = page.inner_text("#history")
        assert "seven times eight" in said and "56" in said
        page.wait_for_function(KEEPS_ITSELF)
        with hosts.cable_pulled():
            page.reload()
            away = "() => document.getElementById('statusText')?.textContent.startsWith('The device is away')"
            page.wait_for_function(away)
        page.wait_for_function("() => voiceAssistant.getMetrics().connected")

        cookie = next(one for one in context.cookies() if one["name"] == "__Host-stimme")
        assert cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "Strict"
        assert cookie["value"] not in server.log.read_text()

        page.goto(f"http://{hosts.address}:8080/")  # a strict cookie is not sent from there; the page finds out itself
        page.wait_for_selector("#state[data-state=trusted]")
        page.evaluate(f"() => {{ location.href = 'https://{name}:8443/'; }}")
        page.wait_for_function("() => window.voiceAssistant && voiceAssistant.getMetrics().connected")

        paired = context.new_page()
        paired.goto(f"https://{name}:8443/entrance/paired.html")
        paired.wait_for_selector("#places tr")
        assert paired.input_value("#places input") == "kitchen tablet"
        done = subprocess.run(
            hosts.at_device(sys.executable, "-m", "appliance", "paired", "revoke", "kitchen tablet"),
            check=True,
            env=os.environ | {"STIMME_STATE": str(state)},
            capture_output=True,
            text=True,
        )
        assert "no more" in done.stdout
        page.wait_for_function("() => !voiceAssistant.getMetrics().connected", timeout=5000)
        page.reload()
        page.wait_for_selector("#code")


def test_a_program_at_another_host_needs_a_token(
    hosts: TwoHosts, server: RunningServer, name: str, state: Path
) -> None:
    added = subprocess.run(
        hosts.at_device(sys.executable, "-m", "appliance", "paired", "add", "radio"),
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"STIMME_STATE": str(state)},
    )
    token = added.stdout.split()[-1]
    program = f"""
import asyncio, ssl, json
from websockets.asyncio.client import connect
async def main():
    trust = ssl.create_default_context(cafile={str(state / "tls" / "authority.crt")!r})
    for headers in ({{}}, {{"Authorization": "Bearer wrong"}}, {{"Authorization": "Bearer {token}"}}):
        try:
            async with connect(
                "wss://{name}:8443/ws", host={hosts.address!r}, ssl=trust, additional_headers=headers
            ) as socket:
                await socket.send('{{"type":"text","text":"what is two plus two"}}')
                while True:
                    answer = json.loads(await socket.recv())
                    if answer["type"] == "answer":
                        print(answer["text"])
                        break
        except Exception as error:
            print(getattr(getattr(error, "response", None), "status_code", error))
asyncio.run(main())
"""
    done = subprocess.run(hosts.at_other(sys.executable, "-c", program), check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["401", "401"] and "4" in done.stdout.split("\n")[2]
    assert json.dumps(token) not in server.log.read_text() and isinstance(ssl.OPENSSL_VERSION, str)
