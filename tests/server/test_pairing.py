"""Codes: valid for two minutes, five tries, then everybody waits longer and longer."""

from __future__ import annotations

import itertools

from appliance.server.pairing import LOCKED_S, MOST_LOCKED_S, VALID_S, Locked, Pairing


def counted() -> Pairing:
    numbers = itertools.count(111_111)
    return Pairing(digits=lambda: next(numbers))


def test_a_code_is_six_digits_shown_once_and_used_up_by_being_right() -> None:
    shown: list[str] = []
    pairing = Pairing(shown.append, digits=lambda: 42)
    assert pairing.open(0) == "000042" == pairing.open(10)
    assert shown == ["000042"]
    assert pairing.attempt("000042", 20) is True
    assert pairing.attempt("000042", 21) is False, "a code that was used is none"


def test_without_an_open_code_nothing_is_right() -> None:
    pairing = counted()
    assert pairing.attempt("", 0) is False and pairing.attempt("      ", 0) is False
    assert pairing.attempt("000000", 0) is False
    pairing.open(0)
    assert pairing.attempt("111111", VALID_S + 1) is False, "it is too old"
    assert not pairing.is_open(VALID_S + 1)


def test_after_five_wrong_codes_everybody_waits_and_the_right_one_is_void() -> None:
    pairing = counted()
    pairing.open(0)
    assert [pairing.attempt("999999", 1) for _ in range(4)] == [False] * 4
    assert pairing.attempt("999999", 1) == Locked(LOCKED_S)
    assert isinstance(pairing.attempt("111111", 2), Locked)
    assert isinstance(pairing.open(3), Locked)
    assert pairing.open(1 + LOCKED_S) == "111112"
    assert pairing.attempt("111111", 2 + LOCKED_S) is False


def test_each_time_the_wait_is_twice_as_long_up_to_an_hour_and_a_success_ends_that() -> None:
    pairing, now, waits = counted(), 0.0, []
    for _ in range(10):
        pairing.open(now)
        got = [pairing.attempt("999999", now) for _ in range(5)][-1]
        assert isinstance(got, Locked)
        waits.append(got.seconds)
        now += got.seconds
    assert waits[:3] == [LOCKED_S, 2 * LOCKED_S, 4 * LOCKED_S] and waits[-1] == MOST_LOCKED_S
    code = pairing.open(now)
    assert pairing.attempt(str(code), now) is True
    pairing.open(now)
    assert [pairing.attempt("999999", now) for _ in range(5)][-1] == Locked(LOCKED_S)


def test_guessing_for_a_day_is_hopeless() -> None:
    """Somebody at the device opens a code whenever that is possible, somebody else guesses whenever they can."""
    pairing, now, guesses = counted(), 0.0, 0
    while now < 86_400:
        pairing.open(now)
        if isinstance(pairing.attempt("999999", now), Locked):
            now += 1
        else:
            guesses += 1
    assert guesses < 200, "of a million codes"


def test_odd_input_is_wrong_and_nothing_more() -> None:
    pairing = counted()
    pairing.open(0)
    for code in ("", "1" * 10_000, "１１１１１１", "\ud800", "111111 ", "0x1b207"):
        pairing.open(0)
        assert pairing.attempt(code, 1) is not True or code == "111111 "
