"""Owners' skills in a whole conversation: understood, answered, taught by voice, read again when they change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.dialogue.families import FAMILIES
from appliance.dialogue.owners.answering import OUTSIDE, owners_family, teaching_performers
from appliance.dialogue.owners.listening import WithOwners, protected, teaching
from appliance.dialogue.owners.registry import Folder, Registry
from appliance.dialogue.owners.skill_file import Problem
from appliance.dialogue.understanding import Understanding
from appliance.language import Language
from appliance.mind import keep_looking
from tests.support.household import House, _at_once, house

NIGHT = """
about: "wish a good night"
en:
  sentences: ["good night {who}", "(open|close) the hatch", "set the boiler to {n} degrees", "tell the fridge {what}"]
  replies: ["Mine: {who}{n}{what}."]
de:
  sentences: ["gute nacht {who}"]
  replies: ["Schlaf gut, {who}."]
lists:
  who: {Anna: [anna, anni], Grandma: [grandma, my granny, oma]}
  n: number
  what: anything
"""


class Owner:
    """Somebody with a folder of skills."""

    def __init__(self, folder: Path, base: Understanding) -> None:
        self.told: list[Problem] = []
        self.folder = Folder(folder, protected, self.told.append)

    def writes(self, name: str, text: str) -> None:
        self.folder.write(name, text)

    @property
    def registry(self) -> Registry:
        return self.folder.registry


@pytest.fixture
def owner(tmp_path: Path, understanding: Understanding) -> Owner:
    return Owner(tmp_path / "skills", understanding)


@asynccontextmanager
async def at_home(owner: Owner, base: Understanding, **more: Any) -> AsyncIterator[House]:
    family = owners_family(lambda: owner.registry, base)
    performers = teaching_performers(owner.folder, base, _at_once)
    understanding = WithOwners(base, lambda: owner.registry)
    async with house(understanding, families=(*FAMILIES, family), more_performers=performers, **more) as home:
        yield home


@pytest.mark.parametrize(
    ("language", "said", "reply"),
    [
        ("en", "Good night, Anna!", "Mine: Anna."),
        ("en", "um please good night anni", "Mine: Anna."),
        ("en", "good night my granny", "Mine: Grandma."),
        ("en", "open hatch", "Mine:."),
        ("en", "set boiler to sixty five degrees", "Mine: 65."),
        ("en", "tell the fridge that we are out of milk", "Mine: that we are out of milk."),
        ("de", "Gute Nacht, Oma.", "Schlaf gut, Grandma."),
    ],
)
async def test_an_owners_sentence_is_answered(
    owner: Owner, understanding: Understanding, language: Language, said: str, reply: str
) -> None:
    owner.writes("night", NIGHT)
    async with at_home(owner, understanding) as home:
        assert await home.enters("tablet").ask(said, language) == reply


@pytest.mark.parametrize(
    "said",
    [
        "good night peter",
        "don't open the hatch",
        "open the hatch or not",
        "good night",
        "open the hatch tomorrow",
        "set the boiler to warm degrees",
        "what time is it",
        "x" * 10_000,
        "\0{who}${7*7}'; drop table--",
    ],
)
async def test_anything_else_is_left_alone(owner: Owner, understanding: Understanding, said: str) -> None:
    owner.writes("night", NIGHT)
    async with at_home(owner, understanding) as home:
        assert "Mine" not in await home.enters("tablet").ask(said)


async def test_stop_stops_whatever_owners_write(owner: Owner, understanding: Understanding) -> None:
    owner.writes("all", "en: {sentences: ['stop {what}', 'never {what}'], replies: ['Mine.']}\nlists: {what: anything}")
    async with at_home(owner, understanding) as home:
        person = home.enters("tablet")
        assert await person.ask("stop talking") == "Okay."
        assert await person.ask("never mind") == "Okay, never mind."
        assert await person.ask("never eat snow") == "Mine."


async def test_an_answer_to_a_question_is_no_owners_sentence(owner: Owner, understanding: Understanding) -> None:
    owner.writes("five", "en: {sentences: ['five minutes'], replies: ['Mine.']}")
    async with at_home(owner, understanding) as home:
        person = home.enters("tablet")
        assert await person.ask("five minutes") == "Mine."
        assert await person.ask("set a timer") == "For how long?"
        assert await person.ask("five minutes") == "Timer set for five minutes."


async def test_what_is_confirmed_waits_for_yes(owner: Owner, understanding: Understanding) -> None:
    owner.writes("gate", "about: open the gate\nconfirm: true\nen: {sentences: [gate], replies: ['It opens.']}")
    async with at_home(owner, understanding) as home:
        person = home.enters("tablet")
        assert await person.ask("gate") == "Shall I do that: open the gate?"
        assert await person.ask("no") == "Okay, I won't."
        await person.ask("gate")
        assert await person.ask("yes") == "It opens."


async def test_a_call_is_filled_in_and_its_answer_is_said(owner: Owner, understanding: Understanding) -> None:
    asked: list[str] = []

    async def outside(question: str, language: Language, memory: object) -> str:
        asked.append(question)
        return '{"lamp": [{"is": "{who} on"}]}'

    owner.writes(
        "lamp",
        """
en: {sentences: ["lamp {s}"], replies: ["It is {answer}."]}
lists: {s: anything}
call: {target: lamp, path: "/l/{s}", body: {"a": ["{s}", 5, true]}, take: "lamp.0.is"}
""",
    )
    async with at_home(owner, understanding, helpers={OUTSIDE: outside}) as home:
        assert await home.enters("tablet").ask('lamp a/../b "x') == "It is {who} on."
    assert asked == [
        '{"call": {"target": "lamp", "method": "POST", "path": "/l/a%2F%20%2Fb%20x", "body": '
        '{"a": ["a/ /b x", 5, true]}}, "failed": ""}'
    ]


def test_a_changed_file_is_read_again_and_a_broken_one_changes_nothing(owner: Owner) -> None:
    owner.writes("night", NIGHT)
    assert owner.registry.match("good night anna", "en") is not None
    assert not owner.folder.look(), "nothing has changed"
    owner.writes("night", "en: {sentences: hello there, replies: x")
    assert [str(problem).rpartition(" line ")[0] for problem in owner.told] == ["night.yaml"]
    assert owner.registry.match("good night anna", "en") is not None, "what was read before stays in force"
    owner.writes("night", "en: {sentences: hello there, replies: x}")
    assert owner.registry.match("good night anna", "en") is None
    assert owner.registry.match("hello there", "en") is not None
    (owner.folder.directory / "night.yaml").unlink()
    assert owner.folder.look() and not owner.registry.skills
    assert len(owner.told) == 1


def test_two_skills_with_one_sentence_are_told(owner: Owner) -> None:
    owner.writes("a", "en: {sentences: 'open sesame', replies: a}")
    owner.writes("b", "en:\n  sentences: ['open (sesame|up)']\n  replies: b")
    assert [str(problem) for problem in owner.told] == [
        "b.yaml line 2: (only a warning) 'open (sesame|up)' is also in a.yaml line 1, which comes first"
    ]
    assert owner.registry.match("open sesame", "en").skill == "a"  # type: ignore[union-attr]
    assert owner.registry.match("open up", "en").skill == "b"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("language", "said", "phrase", "reply"),
    [
        ("en", "When I say good night, answer sleep well.", "good night", "sleep well"),
        ("en", "when i say good night say sleep well", "good night", "sleep well"),
        ("en", "whenever I say 'open sesame' you should answer with It is open!", "open sesame", "It is open"),
        ("en", "answer yes my lord when i say are you there", "are you there", "yes my lord"),
        ("de", "Wenn ich gute Nacht sage, antworte schlaf gut.", "gute Nacht", "schlaf gut"),
        ("de", "wenn ich sage alle mann an bord antworte aye aye", "alle mann an bord", "aye aye"),
    ],
)
def test_what_is_taught_is_read_from_the_sentence(language: Language, said: str, phrase: str, reply: str) -> None:
    intent = teaching(said, language)
    assert intent is not None and intent.slots == {"phrase": phrase, "reply": reply}


@pytest.mark.parametrize("said", ["when i say so", "what do i say when somebody says hello", "remind me to answer"])
def test_other_sentences_teach_nothing(said: str) -> None:
    assert teaching(said, "en") is None


async def test_a_taught_sentence_is_asked_about_tried_kept_and_taken_back(
    owner: Owner, understanding: Understanding
) -> None:
    async with at_home(owner, understanding) as home:
        person = home.enters("tablet")
        sure = await person.ask("when I say open sesame, answer the cave is open")
        assert sure == "When you say open sesame, I answer the cave is open. Shall I keep that?"
        assert not owner.registry.skills
        assert await person.ask("yes") == "Okay, I'll remember that."
        file = owner.folder.directory / "taught-open-sesame.yaml"
        assert file.read_text() == (
            "about: open sesame\nen:\n  sentences:\n  - open sesame\n  replies:\n  - the cave is open\n"
            "tests:\n- en: open sesame\n  reply: the cave is open\n"
        )
        assert await person.ask("open sesame") == "the cave is open"
        assert await person.ask("undo") == "Okay, undone."
        assert not file.exists()


async def test_a_taught_sentence_is_taught_in_german_and_overwritten(
    owner: Owner, understanding: Understanding
) -> None:
    async with at_home(owner, understanding) as home:
        person = home.enters("tablet")
        for reply in ("Ja, mein Schatz", "Nein"):
            await person.ask(f"wenn ich Spieglein Spieglein sage, antworte {reply}", "de")
            assert await person.ask("ja", "de") == "Okay, das merke ich mir."
            assert await person.ask("spieglein spieglein", "de") == reply
        assert len(owner.registry.skills) == 1


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("when i say stop answer no", "Those words must always work as they do. Please choose others."),
        ("when i say (a|b) answer no", "I can't learn that. Please choose plain words, without brackets."),
        (
            "when i say what time is it answer time for tea",
            "Until now that meant something else to me. When you say what time is it, "
            "shall I answer time for tea instead?",
        ),
    ],
)
async def test_what_cannot_be_taught_or_means_something_already_is_told(
    owner: Owner, understanding: Understanding, said: str, reply: str
) -> None:
    async with at_home(owner, understanding) as home:
        assert await home.enters("tablet").ask(said) == reply
        assert await home.enters("guest", may_configure=False).ask(said) == (
            "Only somebody at the device itself, or who may change its settings, can ask for that."
        )


async def test_changes_are_in_force_without_a_restart(owner: Owner) -> None:
    looks = 0

    async def pause(seconds: float) -> None:
        nonlocal looks
        assert seconds <= 0.5
        looks += 1
        if looks == 2:
            owner.folder.directory.mkdir()
            (owner.folder.directory / "night.yaml").write_text(NIGHT)
        if looks == 3:
            assert owner.registry.match("good night anna", "en") is not None
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await keep_looking(owner.folder, _at_once, pause)
