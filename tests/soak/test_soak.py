"""The soak's short form; `make soak ARGS=10` is the long one."""

from __future__ import annotations

import asyncio

from tests.soak.soak import soaking


def test_nothing_is_lost_whatever_happens_meanwhile() -> None:
    with soaking(20) as run:
        figures = asyncio.run(run)
    assert figures["answers"] > 20 and figures["timers"] >= 2, figures
    assert {name: figures[name] for name in ("answers_wrong", "answers_lost", "timers_unheard", "tracebacks")} == {
        "answers_wrong": 0,
        "answers_lost": 0,
        "timers_unheard": 0,
        "tracebacks": 0,
    }, figures
    assert figures["idle_after"]["threads"] <= figures["idle_before"]["threads"] + 1, figures
    assert figures["idle_after"]["descriptors"] <= figures["idle_before"]["descriptors"] + 8, figures
