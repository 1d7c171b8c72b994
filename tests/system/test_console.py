"""The screen on HDMI: what it shows for what it knows."""

import unicodedata

import pytest

from appliance.system.console import View, picture, told

HOME = View("stimme-a1b2", ("192.168.1.23",), "idle", level=0.1)


def test_name_address_and_code_are_shown() -> None:
    lines = picture(HOME, 100, 37)
    text = "\n".join(lines)
    assert "http://stimme-a1b2.local/" in text and "http://192.168.1.23/" in text and "ready" in text
    code = [line for line in lines if line.count("█") > 8 and "[" not in line]
    assert len(code) == 25 and len({len(line) for line in code}) == 1, "a QR code is a square of full blocks"


@pytest.mark.parametrize(("columns", "rows"), [(80, 25), (40, 12), (20, 5)])
def test_nothing_is_wider_or_longer_than_the_screen(columns: int, rows: int) -> None:
    long = View("stimme-a1b2", ("192.168.1.23",) * 3, "failed", "no " * 200, 1.0, "word " * 99, "word " * 99)
    lines = picture(long, columns, rows)
    assert len(lines) <= rows and all(len(line) <= columns for line in lines)
    assert all(unicodedata.east_asian_width(sign) in "NaNaHAN" for line in lines for sign in line)


@pytest.mark.parametrize(("level", "least", "most"), [(0.0, 0, 0), (1.0, 40, 40), (0.1, 20, 32), (0.001, 0, 1)])
def test_the_meter_is_logarithmic(level: float, least: int, most: int) -> None:
    meter = next(line for line in picture(View(level=level), 80, 25) if "[" in line)
    assert least <= meter.count("█") <= most


def test_without_a_microphone_it_says_so() -> None:
    assert any("no microphone" in line for line in picture(View(), 80, 25))


def test_while_the_hotspot_is_open_its_password_is_shown() -> None:
    lines = picture(View(hotspot={"ssid": "stimme-a1b2", "password": "12345678"}), 80, 40)
    text = "\n".join(lines)
    assert "stimme-a1b2" in text and "12345678" in text and "10.42.0.1" in text and "no network" not in text


def test_a_problem_is_shown_in_full_words() -> None:
    problem = "/boot/firmware/stimme.toml: unknown setting 'langauge'; did you mean 'language'?"
    assert "did you mean" in " ".join(picture(View(state="failed", problem=problem), 60, 25))


def test_messages_change_only_what_they_name() -> None:
    view = told(HOME, {"heard": "what time is it", "unknown": 1})
    assert (view.heard, view.state, view.addresses) == ("what time is it", "idle", HOME.addresses)
