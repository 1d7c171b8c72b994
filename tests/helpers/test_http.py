"""The one way out: bounded, never elsewhere, and every trouble told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.helpers import http
from appliance.helpers.http import Away, asked
from appliance.helpers.targets import commands, target, targets, token
from tests.helpers.servers import Handler, raw, reply, serving, stalls


async def fetched(handler: Handler, *, timeout_s: float = 5.0, silent_s: float = 5.0, path: str = "") -> str:
    async with (
        serving(handler, path) as server,
        asked(server.to, "GET", "/x", timeout_s=timeout_s, silent_s=silent_s) as answer,
    ):
        return await answer.text()


async def test_a_request_is_plain_and_its_answer_is_read() -> None:
    async with serving(reply("grüß dich"), "/base/") as server:
        async with asked(server.to, "POST", "/a%20b?c=d", body=b"{}", timeout_s=5) as answer:
            assert await answer.text() == "grüß dich"
        (heard,) = server.heard
        assert heard.line == "POST /base/a%20b?c=d HTTP/1.1" and heard.body == b"{}"
        assert heard.headers["host"] == f"127.0.0.1:{server.to.port}"
        assert set(heard.headers) == {"host", "connection", "accept-encoding", "user-agent", "content-length"}


@pytest.mark.parametrize(
    ("handler", "kind", "says"),
    [
        (stalls, "away", "does not answer in time"),
        (raw(b""), "away", "broke off before"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), "away", "broke off before"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc"), "away", "broke off before"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "wrong", "does not speak HTTP"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000), "wrong", "does not speak HTTP"),
        (reply("", "302 Found", "Location: http://127.0.0.1:9/"), "wrong", "sends elsewhere, which is never followed"),
        (reply("", "401 Unauthorized"), "denied", "the token is not accepted"),
        (reply("", "500 Oops"), "wrong", "answers 500"),
        (reply(b"x" * (http.MOST_BYTES + 1)), "wrong", "sends more than 1048576 bytes"),
    ],
)
async def test_what_is_no_answer_is_told(handler: Handler, kind: str, says: str) -> None:
    with pytest.raises(Away, match=says) as told:
        await fetched(handler, silent_s=0.05 if handler is stalls else 5.0)
    assert told.value.kind == kind


async def test_nobody_there_is_told() -> None:
    with pytest.raises(Away, match="cannot be reached"):
        async with asked(target("it", "http://127.0.0.1:1", "test"), "GET", timeout_s=5):
            pass


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await fetched(reply("here")) == "here"


async def test_who_gives_up_closes_the_connection() -> None:
    async with serving(stalls) as server:
        with pytest.raises(Away):
            async with asked(server.to, "GET", timeout_s=5, silent_s=0.01):
                pass
        async with asyncio.timeout(5):
            await server.left.wait()


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://192.168.1.20", "192.168.1.20", ""),
        ("http://a.local:8123/", "a.local:8123", ""),
        ("https://b/v1/", "b", "/v1"),
        ("http://[fd00::1]:80/x", "[fd00::1]", "/x"),
    ],
)
def test_an_address_is_read(url: str, authority: str, path: str) -> None:
    found = target("it", url, "test")
    assert (found.authority, found.path) == (authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "192.168.1.20",
        "ftp://a",
        "file:///etc/passwd",
        "http://",
        "http://a:b@c",
        "http://a:99999",
        "http://a/#b",
        "http://a b",
        "http://a\r\nX: y",
        "javascript:alert(1)",
    ],
)
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="helpers.chat: .*expected http://HOST:PORT"):
        target("it", url, "helpers.chat")


def test_targets_and_commands_have_names() -> None:
    assert str(targets(["lamp=http://a:81/x"])["lamp"]) == "http://a:81/x"
    assert commands(["lamp=/bin/lamp 'a b' {state}"]) == {"lamp": ("/bin/lamp", "a b", "{state}")}
    for wrong in (["http://a"], ["a b=http://a"], ["a=http://a", "a=http://b"]):
        with pytest.raises(ConfigError, match="helpers.targets"):
            targets(wrong)
    for wrong in (["lamp=lamp on"], ["lamp='"], ["=/bin/x"]):
        with pytest.raises(ConfigError, match="helpers.commands"):
            commands(wrong)


def test_a_token_is_one_line_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc\n")
    assert token(str(file), "s") == "abc"
    assert token("", "s") == ""
    for content in ("", "a b", "a\nb", "x" * 5000):
        file.write_text(content)
        with pytest.raises(ConfigError, match="s: .*expected one line with a token"):
            token(str(file), "s")
    with pytest.raises(ConfigError, match="cannot be read"):
        token(str(file.with_name("none")), "s")
