"""Log lines that anybody outside can cause come once a minute of each kind, however often they are caused."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PERIOD_S = 60.0
MOST_KINDS = 200

LOGGERS = (
    "asyncio",
    "websockets.server",
    "appliance.server.exchange",
    "appliance.server.web",
    "appliance.server.streams",
)
"""Those that tell of single connections."""


class Seldom(logging.Filter):
    """Lets the first of a kind pass, counts the others, and says with the next how many there were."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[object, tuple[float, int]] = {}
        """When the last of a kind passed, and how many have been left out since."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[0] if record.exc_info else None
        kind = (record.name, str(record.msg).partition("\n")[0][:60], error)
        now = self._clock()
        at, left_out = self._kinds.get(kind, (now - PERIOD_S, 0))
        if now - at < PERIOD_S:
            self._kinds[kind] = (at, left_out + 1)
            return False
        if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
            self._kinds.clear()
        self._kinds[kind] = (now, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} times more since)", ()
        return True


@contextmanager
def seldom() -> Iterator[None]:
    """While the block runs, connections' loggers are seldom heard."""
    seldom = Seldom()
    for name in LOGGERS:
        logging.getLogger(name).addFilter(seldom)
    try:
        yield
    finally:
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(seldom)
