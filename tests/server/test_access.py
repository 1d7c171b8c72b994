"""Host, Origin and pace checks."""

import pytest

from appliance.server.access import REAL_TIME_LIMIT, Names, Pace


@pytest.mark.parametrize(("host", "allowed"), [
    ("localhost:8080", True), ("127.0.0.1:8123", True), ("[::1]:8080", True), ("192.168.1.20:8080", True),
    ("LOCALHOST", True), ("stimme.home.arpa:8080", True), ("evil.example:8080", False), ("", False), (None, False),
    ("localhost:notaport", False), ("localhost.evil.example", False),
])
def test_only_our_own_names_and_bare_addresses_are_answered(host: str | None, allowed: bool) -> None:
    assert Names(8080, ["stimme.home.arpa"]).host_allowed(host) is allowed


@pytest.mark.parametrize(("origin", "host", "allowed"), [
    (None, "localhost:8123", True),
    ("http://localhost:8080", "localhost:8080", True),
    ("http://localhost:8080", "localhost:8123", True),
    ("https://evil.example", "localhost:8123", False),
    ("http://localhost:3000", "localhost:8123", False),
    ("http://192.168.1.20:8080", "localhost:8123", False),
    ("null", "localhost:8123", False),
])
def test_only_our_own_page_may_connect_from_a_browser(origin: str | None, host: str, allowed: bool) -> None:
    assert Names(8080).origin_allowed(origin, host) is allowed


def test_sound_in_real_time_never_waits() -> None:
    pace = Pace(now=0.0, rate=REAL_TIME_LIMIT, burst=10)
    assert all(pace.delay(0.032, now=i * 0.032) == 0 for i in range(10_000))


def test_sound_ten_times_too_fast_is_slowed_to_the_limit_after_the_burst() -> None:
    pace, now, sent_s = Pace(now=0.0, rate=1.5, burst=10), 0.0, 0.0
    while sent_s < 100:
        now += max(0.003, pace.delay(0.032, now))
        sent_s += 0.032
    assert sent_s <= 10 + 1.5 * now + 0.05
    assert now < 70
