"""What people choose at a page: for the place they are at, and for the device, as far as their role allows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from appliance.dialogue.types import Memory
from appliance.errors import ProtocolError, StimmeError
from appliance.language import Language
from appliance.server.access import LOCAL, Role, Visitor
from appliance.server.page import encoding, messages

Tell = Callable[[str], None]
FOR_ALL = ("quiet", "fetch", "teach", "forget", "wake_words", "wrong_wake")
"""What concerns everybody, and needs the role "configure"."""


class Teacher(Protocol):
    """Of sentences of the owner's (dialogue/owners/teacher.py)."""

    def shown(self) -> list[dict[str, Any]]: ...
    def teach(self, phrase: str, reply: str, language: Language, *, instead: bool) -> Awaitable[str]:
        """Returns what became of it."""

    def forget(self, name: str) -> Awaitable[object]: ...


class Household(Protocol):
    """Keeps and carries out what was chosen (appliance/choices.py)."""

    version: str
    helpers: list[dict[str, Any]]
    """Those that are on."""

    @property
    def teacher(self) -> Teacher: ...

    def voices(self, language: Language) -> Sequence[str]: ...
    def quiet(self) -> Sequence[str] | None:
        """From when to when, "22:00"."""

    def models(self) -> list[dict[str, Any]]:
        """What hears and speaks, and what would be better."""

    def speak(
        self, memory: Memory, language: Language, voice: str | None, speed: float | None
    ) -> Awaitable[object]: ...
    def keep_quiet(self, hours: Sequence[str] | None) -> Awaitable[object]: ...
    def rename(self, visitor: Visitor, name: str) -> Awaitable[str]:
        """Returns the name as it is kept. Raises ValueError."""

    def fetch(self, model: str) -> Awaitable[object]:
        """Returns once it is here."""


class Waking(Protocol):
    """Wake words at the device's own microphone (device/waking.py)."""

    told: Callable[[], None]

    def shown(self) -> dict[str, Any]: ...
    def choose(self, entries: Sequence[str]) -> Awaitable[object]: ...
    def wrong(self, number: int) -> None: ...


class Settings:
    """In `tasks`, so that nobody waits for a disk."""

    def __init__(self, household: Household, tasks: asyncio.TaskGroup) -> None:
        self._household, self._tasks = household, tasks
        self.waking: Waking | None = None
        """None: this machine has no microphone of its own."""
        self._lookers: dict[object, Callable[[], None]] = {}

    def show(self, who: object, visitor: Visitor, memory: Memory, language: Language, tell: Tell) -> None:
        """Tell what is chosen and what there is to choose from; again, while a model is fetched."""

        def look() -> None:
            tell(self._written(visitor, memory, language))

        self._lookers[who] = look
        look()

    def leave(self, who: object) -> None:
        self._lookers.pop(who, None)

    def changed(self) -> None:
        """Something is new for everybody who looks."""
        for look in tuple(self._lookers.values()):
            look()

    def change(
        self, wanted: messages.Set, who: object, visitor: Visitor, memory: Memory, language: Language, tell: Tell
    ) -> None:
        """Raises ProtocolError for what is not theirs to choose. Whatever looks is told what became of it."""
        asked = {name for name in FOR_ALL if name in wanted.fields}
        if asked and visitor.role < Role.CONFIGURE:
            raise ProtocolError(
                "not_allowed",
                f"{', '.join(sorted(asked))}: for the role configure",
                hint="The owner gives roles on the page /entrance/paired.html.",
            )
        if (voice := wanted.fields.get("voice")) and voice not in self._household.voices(language):
            raise ProtocolError(
                "bad_field", f"voice is {voice!r:.60}, expected one of {', '.join(self._household.voices(language))}"
            )
        known = {model["name"] for model in self._household.models() if not model["in_use"]}
        if (model := wanted.fields.get("fetch")) and model not in known:
            raise ProtocolError("bad_field", f"fetch is {model!r:.60}, expected one of {', '.join(sorted(known))}")
        if {"wake_words", "wrong_wake"} & wanted.fields.keys() and self.waking is None:
            raise ProtocolError(
                "bad_field",
                "wake_words: this machine has no microphone of its own that listens",
                hint="Start it with --device.",
            )
        if "volume" in wanted.fields:
            memory.volume = wanted.fields["volume"]
            tell(encoding.encode_volume(memory.volume))
        self._tasks.create_task(self._carry_out(wanted.fields, visitor, memory, language, tell))

    async def _carry_out(
        self, wanted: Mapping[str, Any], visitor: Visitor, memory: Memory, language: Language, tell: Tell
    ) -> None:
        if wanted.keys() & {"voice", "speed"}:
            await self._household.speak(memory, language, wanted.get("voice"), wanted.get("speed"))
        if "quiet" in wanted:
            await self._household.keep_quiet(wanted["quiet"] or None)
        if "name" in wanted:
            try:
                memory.place = await self._household.rename(visitor, wanted["name"])
            except ValueError as error:
                tell(encoding.encode_error(ProtocolError("bad_field", str(error))))
        if "wake_words" in wanted and self.waking is not None:
            try:
                await self.waking.choose(wanted["wake_words"])
            except StimmeError as error:
                tell(encoding.encode_error(ProtocolError("bad_field", str(error))))
        if "wrong_wake" in wanted and self.waking is not None:
            self.waking.wrong(wanted["wrong_wake"])
        if "teach" in wanted:
            lesson = wanted["teach"]
            outcome = await self._household.teacher.teach(
                lesson["phrase"], lesson["reply"], language, instead=lesson["instead"]
            )
            tell(encoding.encode_taught(lesson["phrase"], outcome))
        if "forget" in wanted:
            await self._household.teacher.forget(wanted["forget"])
        self.changed()
        if "fetch" in wanted:
            await self._household.fetch(wanted["fetch"])

    def _written(self, visitor: Visitor, memory: Memory, language: Language) -> str:
        household = self._household
        may_configure = visitor.role >= Role.CONFIGURE
        return encoding.encode_settings(
            name="" if visitor == LOCAL else memory.place,
            role=visitor.role.name.lower(),
            volume=memory.volume,
            voice=memory.speech.voice or "",
            voices=list(household.voices(language)),
            speed=memory.speech.speed or 1.0,
            quiet=household.quiet(),
            models=household.models(),
            skills=household.teacher.shown() if may_configure else [],
            helpers=household.helpers if may_configure else [],
            version=household.version,
            wake=self.waking.shown() if self.waking is not None else None,
        )
