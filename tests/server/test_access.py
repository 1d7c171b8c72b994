"""Host and Origin checks, and who may have what."""

import pytest

from appliance.server.access import Guard, Refusal, Role, Visitor
from appliance.server.http import Request


def asked(host: str | None = "localhost:8080", origin: str | None = None, *, address: str = "127.0.0.1") -> Request:
    """A WebSocket's request, from this machine unless `address` says otherwise."""
    headers = {"upgrade": "websocket"}
    headers |= {"host": host} if host is not None else {}
    headers |= {"origin": origin} if origin is not None else {}
    return Request("GET", "/ws", headers, address)


def guard(*names: str, origins: tuple[str, ...] = ()) -> Guard:
    guard = Guard(names, origins)
    for port in (8080, 8123):
        guard.page_at("http", port)
    return guard


def status(admitted: Visitor | Refusal) -> int:
    return admitted.status if isinstance(admitted, Refusal) else 101


@pytest.mark.parametrize(("host", "allowed"), [
    ("localhost:8080", True), ("127.0.0.1:8123", True), ("[::1]:8080", True), ("192.168.1.20:8080", True),
    ("LOCALHOST", True), ("stimme.home.arpa:8080", True), ("evil.example:8080", False), ("", False), (None, False),
    ("localhost:notaport", False), ("localhost.evil.example", False), ("evil.example.", False),
    ("localhost@evil.example", False), ("evil.example@localhost", False), ("[::1].evil.example", False),
    ("EVIL.EXAMPLE", False), ("localhost evil.example", False), ("localhost:8080:8080", False), ("[v1.x]", False),
])
def test_only_our_own_names_and_bare_addresses_are_answered(host: str | None, allowed: bool) -> None:
    assert status(guard("stimme.home.arpa").admit(asked(host))) == (101 if allowed else 421)


@pytest.mark.parametrize(("origin", "host", "allowed"), [
    (None, "localhost:8123", True),
    ("http://localhost:8080", "localhost:8080", True),
    ("http://localhost:8080", "localhost:8123", True),
    ("http://[::1]:8080", "[::1]:8123", True),
    ("https://evil.example", "localhost:8123", False),
    ("http://localhost:3000", "localhost:8123", False),
    ("https://localhost:8080", "localhost:8123", False),
    ("http://192.168.1.20:8080", "localhost:8123", False),
    ("http://localhost:8080.evil.example", "localhost:8080", False),
    ("http://localhost:8080/", "localhost:8080", False),
    ("", "localhost:8123", False),
    ("null", "localhost:8123", False),
])
def test_only_our_own_page_may_connect_from_a_browser(origin: str | None, host: str, allowed: bool) -> None:
    assert status(guard().admit(asked(host, origin))) == (101 if allowed else 403)


def test_the_owner_s_own_page_may_live_elsewhere() -> None:
    own = guard(origins=("http://localhost:3000", "https://panel.home.arpa/"))
    assert status(own.admit(asked(origin="http://localhost:3000"))) == 101
    assert status(own.admit(asked(origin="https://panel.home.arpa"))) == 101
    assert status(own.admit(asked(origin="http://localhost:3001"))) == 403
    assert status(own.admit(asked(origin="null"))) == 403


def test_a_form_of_another_site_is_refused_and_a_look_is_not() -> None:
    foreign = {"host": "localhost:8080", "origin": "https://evil.example"}
    assert status(guard().admit(Request("POST", "/", foreign))) == 403
    assert isinstance(guard().admit(Request("GET", "/", foreign)), Visitor)


def test_what_is_for_the_device_itself_is_refused_to_others() -> None:
    here, there = asked(), asked(address="192.168.1.30")
    assert guard().admit(here, Role.OWNER) == Visitor("local", Role.OWNER)
    assert status(guard().admit(there, Role.OWNER)) == 403
    assert guard().admit(there, Role.TALK) == Visitor("192.168.1.30", Role.TALK)
