"""Host and Origin checks, and who may have what."""

import pytest

from appliance.server.access import LOCAL, STRANGER, Guard, Refusal, Role, Visitor
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


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost:8080", True),
        ("127.0.0.1:8123", True),
        ("[::1]:8080", True),
        ("192.168.1.20:8080", True),
        ("LOCALHOST", True),
        ("stimme.home.arpa:8080", True),
        ("evil.example:8080", False),
        ("", False),
        (None, False),
        ("localhost:notaport", False),
        ("localhost.evil.example", False),
        ("evil.example.", False),
        ("localhost@evil.example", False),
        ("evil.example@localhost", False),
        ("[::1].evil.example", False),
        ("EVIL.EXAMPLE", False),
        ("localhost evil.example", False),
        ("localhost:8080:8080", False),
        ("[v1.x]", False),
    ],
)
def test_only_our_own_names_and_bare_addresses_are_answered(host: str | None, allowed: bool) -> None:
    assert status(guard("stimme.home.arpa").admit(asked(host))) == (101 if allowed else 421)


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
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
    ],
)
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
    assert guard().admit(here, Role.OWNER) == LOCAL
    assert guard().admit(there) == STRANGER
    assert status(guard().admit(there, Role.TALK)) == 401


def with_token(token: str, **headers: str) -> Request:
    return Request("GET", "/ws", {"host": "localhost", "authorization": f"Bearer {token}", **headers}, "192.168.1.30")


def known(token: str) -> Visitor | None:
    return Visitor("ab12", Role.TALK, "kitchen") if token == "right" else None


def test_a_token_is_enough_and_a_wrong_one_is_refused_even_here() -> None:
    guarded = Guard(known=known)
    assert guarded.admit(with_token("right"), Role.TALK) == Visitor("ab12", Role.TALK, "kitchen")
    assert status(guarded.admit(with_token("right"), Role.OWNER)) == 403
    assert status(guarded.admit(with_token("wrong"))) == 401
    assert status(guarded.admit(Request("GET", "/", {"host": "localhost", "authorization": "Bearer x"}))) == 401
    assert status(guarded.admit(Request("GET", "/", {"host": "localhost", "authorization": "Basic right"}))) == 401


@pytest.mark.parametrize(
    ("secure", "origin", "cookie", "expected"),
    [
        (True, "https://localhost:8443", "__Host-stimme=right", 101),
        (True, "https://localhost:8443", "a=b; __Host-stimme=right; c=d", 101),
        (True, None, "__Host-stimme=right", 401),
        (False, "http://localhost:8080", "__Host-stimme=right", 401),
        (True, "https://localhost:8443", "stimme=right", 401),
        (True, "https://localhost:8443", "__Host-stimme=wrong", 401),
        (True, "http://localhost:8080", "__Host-stimme=right", 403),
        (True, "https://evil.example", "__Host-stimme=right", 403),
    ],
)
def test_a_cookie_counts_over_https_and_from_our_own_page(
    secure: bool, origin: str | None, cookie: str, expected: int
) -> None:
    guarded = Guard(known=known)
    guarded.page_at("http", 8080)
    guarded.page_at("https", 8443)
    headers = {"host": "localhost:8443", "upgrade": "websocket", "cookie": cookie}
    headers |= {"origin": origin} if origin else {}
    assert status(guarded.admit(Request("GET", "/ws", headers, "192.168.1.30", secure), Role.TALK)) == expected


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "via", "x-real-ip"])
def test_whoever_a_proxy_here_asks_for_is_not_this_machine(header: str) -> None:
    assert Guard().admit(Request("GET", "/", {"host": "localhost", header: "127.0.0.1"})) == STRANGER


def test_the_owner_decides_who_must_be_paired() -> None:
    there = Request("GET", "/", {"host": "localhost"}, "192.168.1.30")
    assert Guard(pairing="off").admit(there) == Visitor("192.168.1.30", Role.TALK)
    assert Guard(pairing="always").admit(Request("GET", "/", {"host": "localhost"})) == STRANGER
