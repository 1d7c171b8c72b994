"""What a place may choose for itself, what needs a role, and who is told what became of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from appliance.choices import Choices
from appliance.dialogue.owners.listening import protected
from appliance.dialogue.owners.registry import Folder
from appliance.dialogue.owners.teacher import Teacher
from appliance.dialogue.performers import SPEECH
from appliance.dialogue.types import Memory
from appliance.dialogue.understanding import Understanding
from appliance.errors import ConfigError, ProtocolError
from appliance.models.choose import Choice
from appliance.server.access import LOCAL, Role, Visitor
from appliance.server.page import messages, protocol
from appliance.server.page.settings import Settings
from appliance.state.database import Database
from appliance.state.stores import Stores
from appliance.state.timers import TimerStore
from appliance.state.tokens import TokenStore

HELPER = {"kind": "weather", "name": "weather", "where": "http://10.0.0.1/forecast"}
JOE = Choice(Path("joe.onnx"), "joe", "on disk", "piper")


class Page:
    def __init__(
        self, tmp_path: Path, database: Database, tasks: asyncio.TaskGroup, understanding: Understanding
    ) -> None:
        self.stores, self.tokens = Stores.beside(TimerStore(database)), TokenStore(database)
        _, self.place = self.tokens.add("Kitchen", "browser", "talk")
        self.visitor = Visitor(self.place.id, Role.TALK, "Kitchen")
        self.memory = Memory(who=self.place.id, place="Kitchen")
        self.told: list[dict[str, Any]] = []
        choices = Choices(
            self.stores,
            self.tokens,
            self._run,
            {"voice": {"en": JOE}},
            {"en": {"joe": JOE, "pico": JOE}},
            tmp_path,
            lambda: None,
            Teacher(Folder(tmp_path / "skills", protected), understanding, self._run),
            [HELPER],
        )
        self.settings = Settings(choices, tasks)

    async def _run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return call(*arguments)

    def look(self) -> dict[str, Any]:
        self.settings.show(self, self.visitor, self.memory, "en", self._tell)
        return self.told[-1]

    async def set(self, **wanted: Any) -> dict[str, Any]:
        message = protocol.parse(json.dumps({"type": "set", **wanted}))
        assert isinstance(message, messages.Set)
        self.settings.change(message, self, self.visitor, self.memory, "en", self._tell)
        for _ in range(5):
            await asyncio.sleep(0)
        return self.told[-1]

    def _tell(self, text: str) -> None:
        self.told.append(json.loads(text))


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding()


@pytest.fixture
async def page(tmp_path: Path, understanding: Understanding) -> AsyncIterator[Page]:
    with Database(None) as database:
        async with asyncio.TaskGroup() as tasks:
            yield Page(tmp_path, database, tasks, understanding)


async def test_a_place_chooses_its_volume_voice_speed_and_name_and_they_are_kept(page: Page) -> None:
    assert page.look()["speed"] == 1.0
    now = await page.set(volume=40, speed=2.5, voice="pico", name=" Küche ")
    assert (now["volume"], now["speed"], now["voice"], now["name"]) == (40, 2.5, "pico", "Küche")
    assert {"type": "volume", "percent": 40} in page.told, "the page's loudspeaker follows"
    assert page.memory.speech.speed == 2.5
    assert page.stores.keeper.get(f"{SPEECH}{page.place.id}") == {"voice": "pico", "speed": 2.5}
    assert [place.name for place in page.tokens.places()] == ["Küche"]


async def test_what_concerns_everybody_needs_the_role(page: Page) -> None:
    with pytest.raises(ProtocolError) as refused:
        await page.set(quiet=["22:00", "07:00"])
    assert refused.value.code == "not_allowed"
    page.visitor = LOCAL
    page.look()
    assert (await page.set(quiet=["22:00", "07:00"]))["quiet"] == ["22:00", "07:00"]
    assert (await page.set(quiet=False))["quiet"] is None


async def test_a_voice_and_a_model_that_are_not_there_are_named(page: Page) -> None:
    page.visitor = LOCAL
    for wanted in ({"voice": "elvis"}, {"fetch": "elvis"}):
        with pytest.raises(ProtocolError, match="elvis"):
            await page.set(**wanted)


async def test_what_would_be_better_is_offered_with_its_size(page: Page) -> None:
    better = [model for model in page.look()["models"] if not model["in_use"]]
    assert better
    assert all(model["size_bytes"] > 1e6 and model["share"] is None for model in better)


async def test_a_sentence_is_taught_once_it_was_tried_and_forgotten_again(page: Page) -> None:
    lesson = {"phrase": "open the  hatch", "reply": "Mind your head."}
    with pytest.raises(ProtocolError, match="role configure"):
        await page.set(teach=lesson)
    page.visitor = LOCAL
    page.look()
    shown = await page.set(teach=lesson)
    assert {"type": "taught", "phrase": "open the hatch", "outcome": "kept"} in page.told
    assert [(skill["name"], skill["taught"]) for skill in shown["skills"]] == [("taught-open-the-hatch", True)]
    assert (await page.set(forget="taught-open-the-hatch"))["skills"] == []


@pytest.mark.parametrize(
    ("phrase", "instead", "outcome"),
    [
        ("what time is it", False, "instead"),
        ("what time is it", True, "kept"),
        ("stop", True, "ours"),
        ("open {hatch}", False, "not_learnt"),
        ("x " * 45 + "x", False, "test_failed"),
    ],
)
async def test_what_speaks_against_a_sentence_is_told(page: Page, phrase: str, instead: bool, outcome: str) -> None:
    page.visitor = LOCAL
    await page.set(teach={"phrase": phrase, "reply": "Mind your head.", "instead": instead})
    assert {"type": "taught", "phrase": phrase, "outcome": outcome} in page.told


async def test_who_may_configure_sees_which_helpers_are_on_and_where(page: Page) -> None:
    assert page.look()["helpers"] == []
    page.visitor = LOCAL
    assert page.look()["helpers"] == [HELPER]


class Waking:
    """Wake words at a device's microphone."""

    told = staticmethod(lambda: None)

    def __init__(self) -> None:
        self.words: list[str] = []
        self.wrongs: list[int] = []

    def shown(self) -> dict[str, Any]:
        return {"known": {"okay_nabu": "Okay Nabu"}, "words": self.words, "listens": bool(self.words), "wakes": []}

    async def choose(self, entries: Sequence[str]) -> None:
        if "hey_you" in entries:
            raise ConfigError("'hey_you': no such word; there are: okay_nabu")
        self.words = list(entries)

    def wrong(self, number: int) -> None:
        self.wrongs.append(number)


async def test_wake_words_are_chosen_by_who_may_configure_where_there_is_a_microphone(page: Page) -> None:
    assert page.look()["wake"] is None
    page.visitor = LOCAL
    with pytest.raises(ProtocolError, match="no microphone of its own"):
        await page.set(wake_words=["okay_nabu"])
    page.settings.waking = waking = Waking()
    assert (await page.set(wake_words=["okay_nabu"]))["wake"]["words"] == ["okay_nabu"]
    await page.set(wake_words=["hey_you"])
    assert any(told.get("code") == "bad_field" and "hey_you" in told["message"] for told in page.told)
    await page.set(wrong_wake=3)
    assert (waking.words, waking.wrongs) == (["okay_nabu"], [3])
    page.visitor = Visitor(page.place.id, Role.TALK, "Kitchen")
    with pytest.raises(ProtocolError, match="for the role configure"):
        await page.set(wake_words=[])
