"""What people choose at pages, kept and carried out: the part of the composition root that pages' settings reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance import __version__
from appliance.dialogue.actions import SetSpeech
from appliance.dialogue.owners.teacher import Teacher
from appliance.dialogue.performers import Occasion, performers
from appliance.dialogue.types import Memory
from appliance.language import Language
from appliance.models.better import better_models
from appliance.models.catalogue import Kind, by_name
from appliance.models.choose import Choice
from appliance.models.fetching import Fetching
from appliance.server.access import Visitor
from appliance.state.stores import Stores
from appliance.state.tokens import TokenStore

Run = Callable[..., Awaitable[Any]]


class Choices:
    """A page's Household (server/page/settings.py).

    models: recognizers and voices in force. voices: by language, what people call them. run: for the disk. directory:
    where fetched models go. changed: called when there is something new to tell. helpers: those
    that are on.
    """

    def __init__(
        self,
        stores: Stores,
        tokens: TokenStore,
        run: Run,
        models: Mapping[Kind, Mapping[Language, Choice]],
        voices: Mapping[Language, Mapping[str, Choice]],
        directory: Path,
        changed: Callable[[], None],
        teacher: Teacher,
        helpers: list[dict[str, Any]],
    ) -> None:
        self.version = __version__
        self._stores, self._tokens, self._run, self._models, self._voices = stores, tokens, run, models, voices
        self._set_speech = performers(stores, run)[SetSpeech]  # type: ignore[arg-type]
        self._fetching = Fetching(directory, changed)
        self.teacher = teacher
        self.helpers = helpers

    def voices(self, language: Language) -> Sequence[str]:
        return tuple(self._voices.get(language, {}))

    def quiet(self) -> Sequence[str] | None:
        hours: Sequence[str] | None = self._stores.keeper.get("quiet")
        return hours

    def models(self) -> list[dict[str, Any]]:
        """Those in force; and those that could be fetched, with `share` of them here, −1 if that failed."""
        shown: list[dict[str, Any]] = [
            {"kind": kind, "language": language, "name": choice.name, "in_use": True}
            for kind, chosen in self._models.items()
            for language, choice in chosen.items()
        ]
        for name in better_models(self._models):
            if (model := by_name(name)) is not None:
                shown.append(
                    {
                        "kind": model.kind,
                        "language": model.language,
                        "name": name,
                        "in_use": False,
                        "size_bytes": model.size_bytes,
                        "share": self._fetching.shares.get(name),
                    }
                )
        return shown

    async def speak(self, memory: Memory, language: Language, voice: str | None, speed: float | None) -> None:
        await self._set_speech(SetSpeech(voice=voice, speed=speed), Occasion("", memory, language))

    async def keep_quiet(self, hours: Sequence[str] | None) -> None:
        await self._run(self._stores.keeper.keep, "quiet", None if hours is None else list(hours))

    async def rename(self, visitor: Visitor, name: str) -> str:
        place = await self._run(lambda: self._tokens.change(visitor.id, name=name))
        return "" if place is None else place.name

    async def fetch(self, model: str) -> None:
        await self._fetching.get(model)
