"""The soak's short form; `make soak` is the long one."""

from __future__ import annotations

import asyncio

import pytest

from tests.soak.holding import slope
from tests.soak.soak import soaking, what_is_wrong
from tests.soak.tally import KILLED, PEACE, STOPPED, Span, causes, waits


def test_nothing_is_lost_whatever_happens_meanwhile() -> None:
    with soaking() as soak:
        figures = asyncio.run(soak.with_restarts(20))
        assert figures["answers"] > 20 and figures["timers"] >= 2, figures
        assert what_is_wrong(figures) == [], figures


def test_a_line_that_fails_is_explained_only_by_a_server_that_was_down_or_a_limit_that_was_named() -> None:
    broken = [Span(KILLED, 10, 13), Span("flood", 20, 23)]
    failures = [Span("ConnectionRefusedError", 12, 12.1), Span("ConnectionResetError", 21, 21.1)]
    assert causes(failures, [Span("busy", 21, 22)], broken) == {
        "server_down_on_purpose": 1,
        "refused_by_a_limit": {"busy": 1},
        "unexplained": 1,
        "unexplained_kinds": {"ConnectionResetError (flood)": 1},
    }


def test_waits_are_told_apart_by_what_was_broken_meanwhile() -> None:
    broken = [Span(STOPPED, 10, 12), Span("flood", 11, 14)]
    told = waits([Span("typed", 9, 12), Span("spoken", 13, 13.5), Span("typed", 30, 30.1)], broken)
    assert {name: each["max"] for name, each in told["by_what_was_broken"].items()} == {
        STOPPED: 3,
        "flood": 0.5,
        PEACE: 0.1,
    }
    assert {name: each["max"] for name, each in told["awake"].items()} == {"all": 0.5, "spoken": 0.5, "typed": 0.1}
    assert told["longest_awake"] == ["0.50 s, spoken (flood)", "0.10 s, typed (nothing broken)"]


@pytest.mark.parametrize(("values", "expected"), [([1, 2, 3, 4], 1), ([5, 5, 900, 5, 5], 0), ([7], 0)])
def test_the_slope_is_of_the_trend_and_not_of_a_peak(values: list[float], expected: float) -> None:
    assert slope(values) == expected
