"""What may stand in a skill's file, and how its mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.dialogue.owners.answering import failures, filled
from appliance.dialogue.owners.listening import protected
from appliance.dialogue.owners.registry import Registry
from appliance.dialogue.owners.skill_file import read_skill
from appliance.dialogue.owners.templates import Slot, TemplateError, expanded, variants
from appliance.dialogue.understanding import Understanding

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "skills").glob("*.yaml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_the_examples_are_right_and_their_tests_go_well(file: Path, understanding: Understanding) -> None:
    skill, problems = read_skill(file.stem, file.name, file.read_text(encoding="utf-8"), protected)
    assert skill is not None and problems == ()
    assert len(skill.trials) >= 4
    assert list(failures(Registry([skill]), understanding, skill)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the file is empty"),
        ("en: [", "; often a text with : or { or ' in it needs quotes"),
        ("- a\n- b", "line 1: expected names with a colon at the top: en, de, about, call"),
        ("about: x", "line 1: no sentences: expected one of en, de at the top"),
        (
            "en:\n  sentences: hi\n  repleis: hello",
            "line 3: 'repleis' is not known below en; expected sentences, replies",
        ),
        ("en:\n  sentences: hi", "line 2: replies are missing"),
        (
            "en:\n  sentences:\n  - hi\n  - hi (there\n  replies: x",
            "line 4: 'hi (there': the '(' at character 4 is never closed by ')'",
        ),
        ("en:\n  sentences: hi there)\n  replies: x", "line 2: 'hi there)': ')' at character 9 closes nothing"),
        ("en:\n  sentences: '{who}'\n  replies: x", "line 2: '{who}': a sentence needs a word of its own"),
        (
            "en:\n  sentences: 'hi {who}'\n  replies: x",
            "line 2: {who} has no list; below lists: expected who: [words, …], who: number or who: anything",
        ),
        ("en:\n  sentences: hi\n  replies: 'hello {who}'", "line 2: the reply 'hello {who}' wants {who}, which no"),
        (
            "en:\n  sentences: hi\n  replies: x\nlists:\n  who: everybody",
            "line 5: who is 'everybody', expected a list of words, number or anything",
        ),
        ("en:\n  sentences: stop it\n  replies: x", "line 2: 'stop it': 'stop it' is ours: it must always stop"),
        ("en:\n  sentences: '[oh] yes'\n  replies: x", "line 2: '[oh] yes': 'yes' is ours"),
        ("de:\n  sentences: nein\n  replies: x", "line 2: 'nein': 'nein' is ours"),
        ("en:\n  sentences: hi\n  replies: x\ncall: {method: post}", "line 4: a call without target"),
        (
            "en:\n  sentences: hi\n  replies: x\ncall:\n  target: a\n  path: api",
            "line 6: path 'api', expected one that",
        ),
        (
            "en:\n  sentences: hi\n  replies: x\ncall:\n  target: a\n  method: TRACE",
            "line 6: method 'TRACE', expected GET",
        ),
        (
            "en:\n  sentences: hi\n  replies: x\nconfirm: perhaps",
            "line 4: confirm is 'perhaps', expected true or false",
        ),
        ("en:\n  sentences: hi\n  replies: x\ntests:\n- hello", "line 5: expected names with a colon in a test"),
        ("en: &a [*a]", "line 1: *names are not known here"),
        ("en:\n  sentences: hi\n  replies: x\nen:\n  sentences: ho", "line 4: 'en' stands here a second time"),
        ("en:\n  sentences: b " + "[a] " * 12 + "\n  replies: x", "more than 256 ways to say it"),
        ("en: " + "[" * 5000, "line 1: "),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_was_expected(
    text: str, says: str, understanding: Understanding
) -> None:
    skill, problems = read_skill("mine", "mine.yaml", text, protected)
    assert skill is None
    assert any(says in str(problem) for problem in problems), [str(problem) for problem in problems]
    assert all(str(problem).startswith("mine.yaml line ") for problem in problems)


def test_all_mistakes_are_told_at_once() -> None:
    _, problems = read_skill("m", "m.yaml", "en:\n  sentences: ['{a}', 'b {c}']\n  replies: x\nnonsense: 1")
    assert [problem.line for problem in problems] == [4, 2, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("good night", ["good night"]),
        ("(turn|switch) it on[ly]", ["turn it on", "turn it only", "switch it on", "switch it only"]),
        ("[please] [(a|b)] c", ["c", "a c", "b c", "please c", "please a c", "please b c"]),
        ("lamp[s]", ["lamp", "lamps"]),
    ],
)
def test_a_sentence_is_spelled_out(text: str, said: list[str]) -> None:
    assert sorted(expanded(text)) == sorted(said)


def test_slots_stand_between_normalised_words() -> None:
    assert variants("Öffne die {what}-Tür!", "de") == [("öffne", "die", Slot("what"), "tür")]
    with pytest.raises(TemplateError, match="without its partner"):
        variants("open {what", "en")


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("Sleep well, {who}.", {"who": "Anna"}, "Sleep well, Anna."),
        ("Sleep well, {who}.", {}, "Sleep well."),
        ("{who}, sleep well!", {"who": "{who}"}, "{who}, sleep well!"),
        ("Hello {a} {b}, good day", {"b": "B"}, "Hello B, good day"),
    ],
)
def test_what_was_not_said_leaves_no_gap(text: str, values: dict[str, str], said: str) -> None:
    assert filled(text, values) == said
