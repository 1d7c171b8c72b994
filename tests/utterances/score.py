"""python -m tests.utterances.score: how much of what people say is understood, by family and language."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from appliance.dialogue.actions import StopSpeaking
from appliance.dialogue.types import Answer
from appliance.dialogue.understanding import Understanding
from appliance.language import LANGUAGES, Language
from tests.utterances.canonical import differences
from tests.utterances.load import Turn, Utterance, utterances
from tests.utterances.scene import NOW, answers

_SAYS_AS_MUCH = {("GetWeekday", "HassGetCurrentDate"), ("Compliment", "Thank"), ("Thank", "Compliment")}
"""Expected and given: the date is told with its weekday; "you're welcome" answers praise."""

Verdict = Literal["right", "asked first", "declined", "wrong answer", "wrong action"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_YES: dict[Language, str] = {"en": "yes", "de": "ja"}


@dataclass(frozen=True)
class Result:
    """What became of one turn that counts."""

    utterance: Utterance
    turn: Turn
    verdict: Verdict
    why: str
    follow_up: bool


def asks(answer: Answer) -> bool:
    """Whether the next utterance is expected to be the answer to a question."""
    asked = getattr(answer.reply, "asks", None)
    return "?" in answer.reply.text if asked is None else bool(asked)


def judge(turn: Turn, answer: Answer) -> tuple[Verdict, str]:
    """Whether the answer is what was expected, and what is wrong with it."""
    expected, name = turn.expectation, answer.intent.name
    effects = [action for action in answer.reply.actions if not isinstance(action, StopSpeaking)]
    passive = not effects and (not answer.reply.understood or asks(answer))
    why = f"{name or 'not understood'}: {answer.reply.text}"
    if name in expected.also and not (expected.negative and effects) or passive and "ask" in expected.also:
        return "right", ""
    if expected.negative:
        return ("right", "") if passive else ("wrong action" if effects else "wrong answer", why)
    if name == expected.intent or name == "Yes" and effects or (expected.intent, name) in _SAYS_AS_MUCH:
        wrong = differences(expected.slots, answer, NOW)
        if not wrong and not (expected.confirms and effects):
            return "right", ""
        why = f"{name}: {'; '.join(wrong) or 'not confirmed first'}"
    if effects:
        return "wrong action", why
    return ("declined" if passive else "wrong answer"), why


async def results(understanding: Understanding, asked: Iterable[Utterance]) -> list[Result]:
    found = []
    for utterance in asked:
        texts = [turn.text for turn in utterance.turns]
        given = await answers(understanding, utterance.language, texts)
        for index, (turn, answer) in enumerate(zip(utterance.turns, given, strict=True)):
            if turn not in utterance.counted:
                continue
            verdict, why = judge(turn, answer)
            if verdict == "declined" and asks(answer) and not turn.expectation.negative:
                confirmed = [*texts[: index + 1], _YES[utterance.language]]
                *_, after = await answers(understanding, utterance.language, confirmed)
                verdict = "asked first" if judge(turn, after)[0] == "right" else verdict
            found.append(Result(utterance, turn, verdict, why, follow_up=len(utterance.turns) > 1))
    return found


def table(found: Sequence[Result]) -> str:
    """One line a family and language, then the sums: per language, positive, negative, follow-ups."""
    head = f"{'':24}{'turns':>7}" + "".join(f"{verdict:>14}" for verdict in VERDICTS)
    files: dict[str, list[Result]] = {}
    for each in found:
        files.setdefault(f"{each.utterance.family} {each.utterance.language}", []).append(each)
    rows = [_row(name, files[name]) for name in sorted(files)]
    for language in LANGUAGES:
        said = [each for each in found if each.utterance.language == language]
        if said:
            rows += [
                "",
                _row(f"all {language}", said),
                _row("  must act or answer", [each for each in said if not each.turn.expectation.negative]),
                _row("  must ask or decline", [each for each in said if each.turn.expectation.negative]),
                _row("  follow-ups", [each for each in said if each.follow_up]),
            ]
    return "\n".join([head, *rows])


def _row(name: str, found: Sequence[Result]) -> str:
    counts, total = Counter(each.verdict for each in found), max(1, len(found))
    return f"{name:24}{len(found):7}" + "".join(f"{counts[verdict] / total:14.1%}" for verdict in VERDICTS)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.utterances.score", description=__doc__)
    parser.add_argument("--held-out", action="store_true", help="the half that nobody reads: figures only")
    parser.add_argument("--family", default="", help="one family: timer, alarm, …")
    parser.add_argument("--language", choices=LANGUAGES)
    parser.add_argument("--wrong", action="store_true", help="print what is not right in the train half")
    options = parser.parse_args(arguments)
    if options.held_out and options.wrong:
        parser.error("--wrong would show the held-out half, and what has been read measures nothing any more")
    language: Language | None = options.language
    asked = [each for each in utterances(language, options.family) if each.held_out == options.held_out]
    if not asked:
        parser.error(f"no utterances of family {options.family!r}")
    logging.getLogger("appliance").setLevel(logging.CRITICAL)
    found = asyncio.run(results(Understanding(), asked))
    if options.wrong:
        for each in found:
            if each.verdict != "right":
                where = f"{each.utterance.family}.{each.utterance.language}:{each.turn.line}"
                wanted = each.turn.expectation
                slots = "; ".join(f"{slot}={value}" for slot, value in wanted.slots.items())
                before = f"{each.utterance.text.rpartition(each.turn.text)[0]}» " if each.follow_up else ""
                print(f"{each.verdict:13}{where:18}{before}{each.turn.text}  [{wanted.intent} {slots}]  {each.why}")
        print()
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
