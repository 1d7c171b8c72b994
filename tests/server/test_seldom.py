"""A log line that strangers can cause comes once a minute of each kind, with how many were left out."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from appliance.server.seldom import MOST_KINDS, PERIOD_S, Seldom
from tests.support.clock import Clock

Lines = list[str]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> Iterator[tuple[logging.Logger, Lines]]:
    """A logger that is seldom heard, and what was heard of it."""
    lines: Lines = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, handler, seldom = logging.getLogger("stimme-test-seldom"), Kept(), Seldom(clock.now)
    logger.addHandler(handler)
    logger.addFilter(seldom)
    logger.propagate = False
    yield logger, lines
    logger.removeHandler(handler)
    logger.removeFilter(seldom)


def test_each_kind_comes_once_a_minute_and_says_how_many_were_left_out(
    clock: Clock, log: tuple[logging.Logger, Lines]
) -> None:
    logger, lines = log
    for address in range(100):
        logger.warning("no head from %s", address)
    logger.warning("another kind")
    assert lines == ["no head from 0", "another kind"]
    clock.passes(PERIOD_S)
    logger.warning("no head from %s", "somebody")
    assert lines[2:] == ["no head from somebody (and 99 times more since)"]


def test_other_errors_under_the_same_words_are_another_kind(log: tuple[logging.Logger, Lines]) -> None:
    logger, lines = log
    for error in (ValueError("a"), OSError("b"), ValueError("c")):
        logger.warning("it failed", exc_info=error)
    assert len(lines) == 2


def test_kinds_without_end_do_not_fill_the_memory(log: tuple[logging.Logger, Lines]) -> None:
    logger, lines = log
    (seldom,) = logger.filters
    for number in range(5 * MOST_KINDS):
        logger.warning(f"{number} is a kind of its own")  # noqa: G004 - on purpose
    assert isinstance(seldom, Seldom) and len(seldom._kinds) <= MOST_KINDS
    assert len(lines) == 5 * MOST_KINDS
