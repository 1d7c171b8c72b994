"""The utterance files are as README.md says: well formed, enough, a third of them negative, none twice."""

import re
from collections import Counter
from pathlib import Path

import pytest

from appliance.dialogue.families import FAMILIES as OURS
from appliance.language import LANGUAGES, Language
from tests.utterances.load import HERE, ROUNDS, FileError, read, utterances

FILES = sorted(HERE.glob("*.yaml"))
README = (HERE / "README.md").read_text(encoding="utf-8")
FAMILIES = re.findall(r"^\| (?!file)([a-z]+\d?) \|", README.partition("## Families")[2], re.MULTILINE)
INTENTS = {intent for family in OURS for intent in family.skills}
NAMES = INTENTS | set(re.findall(r"\b[A-Z][A-Za-z]+\b", README.partition("## Families")[2]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_well_formed_and_its_intents_are_in_the_readme(path: Path) -> None:
    assert path.stem.partition(".")[0] in FAMILIES
    for utterance in read(path):
        for turn in utterance.turns:
            names = {turn.expectation.intent} | turn.expectation.also
            assert names <= NAMES | {"ask", "decline"}, f"{path.name}:{turn.line}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_said_twice(language: Language) -> None:
    said = [each for each in utterances(language) if not each.family.startswith(ROUNDS)]
    counts = Counter(utterance.text.lower() for utterance in said)
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_and_a_third_must_not_be_acted_upon(language: Language) -> None:
    turns = [turn for utterance in utterances(language) for turn in utterance.counted]
    follow_ups = sum(len(utterance.turns) - 1 for utterance in utterances(language))
    negative = sum(turn.expectation.negative for turn in turns)
    assert len(turns) >= 1500 and negative >= len(turns) / 3 and follow_ups >= 200
    halved = [utterance for utterance in utterances(language) if not utterance.family.startswith(ROUNDS)]
    held_out = sum(utterance.held_out for utterance in halved) / len(halved)
    assert 0.45 < held_out < 0.55


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_family_is_there(language: Language) -> None:
    assert {utterance.family for utterance in utterances(language)} == set(FAMILIES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Help: what", "x.en.yaml:1: expected a list"),
        ("Help:\n- one\nHelp:\n- two", "x.en.yaml:3: 'Help' stands here for the second time"),
        ("Help:\n- one: topic", "x.en.yaml:2: 'topic' is no slot"),
        ("ask:\n- one: topic=timer", "x.en.yaml:2: 'ask' has no slots"),
        ("sequences:\n- - one: Help", "x.en.yaml:2: a sequence has two turns or more"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.en.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=re.escape(message)):
        read(path)


def test_yes_and_times_stay_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.en.yaml"
    content = "sequences:\n- - at eighteen thirty | Help: SetAlarm? moment=18:30\n  - yes: Yes\n"
    path.write_text(content, encoding="utf-8")
    (utterance,) = read(path)
    first, second = utterance.turns
    assert (first.text, first.expectation.slots["moment"], first.expectation.confirms) == (
        "at eighteen thirty",
        "18:30",
        True,
    )
    assert first.expectation.also == {"Help"}
    assert (second.text, second.expectation.intent, utterance.counted) == ("yes", "Yes", (second,))
