"""People at a session without any wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from appliance import turns
from appliance.audio.endpointing import End, Heard, Pause
from appliance.errors import ProtocolError
from appliance.session import Session
from appliance.sessions import Sessions
from tests.support.clock import Clock
from tests.support.faculties import FakeFaculties, FakeSink, willing

LIMIT_S = 1.0
UNIQUE = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"


def pcm(words: str, seconds: float = 0.1) -> bytes:
    """Sound in which the fake ears hear these words."""
    return words.encode().ljust(round(seconds * 16_000) * 2, b"\0")


class Place:
    """A person's page."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.events: list[turns.Event] = []
        self.was_displaced = False
        self.sink = FakeSink()
        session.attach(self, self.sink)

    def tell(self, event: turns.Event) -> None:
        self.events.append(event)

    def displaced(self) -> None:
        self.was_displaced = True

    def kinds(self, id: str) -> list[str]:
        return [type(event).__name__ for event in self.events if getattr(event, "id", None) == id]

    def texts(self, kind: type) -> list[str]:
        return [event.text for event in self.events if isinstance(event, kind)]  # type: ignore[union-attr]

    def say(self, words: str, id: str = "") -> str:
        id = self.session.begin(id)
        self.session.audio(pcm(words))
        self.session.end(id)
        return id


class House:
    """Sessions over fake faculties and a clock that stands still."""

    def __init__(self, fake: FakeFaculties, tasks: asyncio.TaskGroup) -> None:
        self.fake, self.clock = fake, Clock()
        self.observed: list[turns.Event] = []
        self.dropped: list[str] = []
        self.sessions = Sessions(
            fake.all(),
            tasks,
            language="en",
            max_audio_duration_s=LIMIT_S,
            observe=self.observed.append,
            dropped=self.dropped.append,
            clock=self.clock.now,
            later=self.clock.later,
        )

    def visit(self) -> Place:
        return Place(self.sessions.open("anna"))

    def revisit(self, place: Place, visitor: str = "anna") -> Place:
        """The same client on a new connection, the old one not noticed to be dead."""
        session = self.sessions.resume(place.session.secret, visitor)
        assert session is not None
        return Place(session)


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - one step of the tasks under test
        await asyncio.sleep(0)


@asynccontextmanager
async def house(fake: FakeFaculties | None = None) -> AsyncIterator[House]:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        yield House(fake or willing(), tasks)


def code(caught: pytest.ExceptionInfo[ProtocolError]) -> tuple[str, str | None]:
    return caught.value.code, caught.value.id


class After:
    """An endpointer that has had enough after so many pieces; it keeps what it was told."""

    pause: Pause | None = None

    def __init__(self, pieces: int) -> None:
        self.left, self.partials, self.times = pieces, [], []  # type: ignore[var-annotated]

    def feed(self, heard: Heard) -> End | None:
        self.partials.append(heard.partial)
        self.times.append(heard.now)
        self.left -= 1
        return None if self.left else End("complete")
