"""The rule that ends a tapped utterance, as a table of what came when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from appliance.audio.endpointing import CHUNK_SAMPLES, PAUSE_S, ByWords, End, Heard, Patience, Pause
from appliance.config import EndpointConfig


def quiet(seconds: float, partial: str | None, now: float) -> Heard:
    return Heard(round(16_000 * seconds), partial, now)


@pytest.mark.parametrize(
    ("fed", "ends_at"),
    [
        ([(0, ""), (7.9, "")], None),
        ([(0, ""), (7.9, ""), (8.0, "")], 8.0),
        ([(0, ""), (1, "what"), (2.9, "what"), (3.0, "what")], 3.0),
        ([(0, ""), (1, "what"), (2.5, "what time"), (4.4, "what time"), (4.5, "what time")], 4.5),
        ([(0, ""), (7.9, "what"), (9.8, "what")], None),
        ([(0, None), (20, None), (27.9, "")], None),
        ([(0, None), (20, None), (21, ""), (28.9, ""), (29.0, "")], 29.0),
        ([(0, None), (20, "what"), (21.9, "what"), (22.0, "what")], 22.0),
    ],
    ids=[
        "still patient",
        "no word in eight seconds",
        "two seconds after the last word",
        "a new word begins anew",
        "a late word",
        "waiting for a recognizer costs nothing",
        "silence counts from when somebody listens",
        "words caught up with",
    ],
)
def test_patience_ends_with_silence(fed: list[tuple[float, str | None]], ends_at: float | None) -> None:
    rule = Patience()
    before = [0.0, *(at for at, _ in fed)]
    ends = [
        (at, end.reason)
        for (at, partial), last in zip(fed, before, strict=False)
        if (end := rule.feed(quiet(at - last, partial, 100 + at)))
    ]
    assert ends == ([(ends_at, "silence")] if ends_at is not None else [])


@pytest.mark.parametrize(
    ("pieces_s", "every_s"), [(0.1, 0.3), (0.5, 0.01)], ids=["a thin link", "all at once after a drop"]
)
def test_patience_wants_both_the_sound_and_the_time(pieces_s: float, every_s: float) -> None:
    rule = Patience()
    rule.feed(quiet(pieces_s, "what time", 0.0))
    ended = next(n for n in range(1, 1000) if rule.feed(quiet(pieces_s, "what time", n * every_s)))
    assert min(ended * pieces_s, ended * every_s) == pytest.approx(2.0, abs=max(pieces_s, every_s))


WAITS = EndpointConfig()
VOICE, QUIET = 0.9, 0.0


def ends_after(told: Sequence[tuple[str, str | None, list[float]]], chunks: int = 400) -> tuple[int, End] | None:
    """How many more quiet chunks of 32 ms there are before the rule ends it. told: (completeness, partial, voices)."""
    rule = ByWords(WAITS)
    steps = [*((*one, False) for one in told), *((told[-1][0], told[-1][1], [QUIET], True) for _ in range(chunks))]
    waited = 0
    for number, (completeness, partial, voices, is_waiting) in enumerate(steps):
        waited += is_waiting
        heard = Heard(len(voices) * CHUNK_SAMPLES, partial, 0.032 * number, voices, completeness)
        if (end := rule.feed(heard)) is not None:
            return waited, end
    return None


@pytest.mark.parametrize(
    ("completeness", "setting", "reason"),
    [
        ("complete", "complete_s", "complete"),
        ("continuable", "continuable_s", "complete"),
        ("text", "text_s", "complete"),
        ("unknown", "unknown_s", "silence"),
        ("open", "open_s", "silence"),
        ("hesitation", "hesitation_s", "silence"),
    ],
)
def test_the_more_complete_a_sentence_the_shorter_the_silence(completeness: str, setting: str, reason: str) -> None:
    found = ends_after([(completeness, "add milk", [VOICE] * 20)])
    assert found is not None
    waited, end = found
    assert (end.reason, end.setting) == (reason, f"endpoint.{setting}")
    assert 0 <= waited * 0.032 - getattr(WAITS, setting) < 0.032
    assert end.silence_s == pytest.approx(waited * 0.032)


def test_nothing_is_cut_while_there_is_a_voice() -> None:
    said = [("complete", "stop", [VOICE] * 30)] * 20 + [("complete", "stop", [QUIET, VOICE])] * 200
    assert ends_after(said, 0) is None


def test_a_voice_that_fades_is_still_one() -> None:
    assert ends_after([("complete", "stop", [VOICE, 0.4] * 100)], 0) is None


def test_a_sound_without_words_keeps_it_open() -> None:
    said = [("complete", "turn it up", [VOICE] * 20), ("complete", "turn it up", [QUIET] * 5)]
    found = ends_after([*said, ("complete", "turn it up", [VOICE] * 8)])
    assert found is not None and found[1].setting == "endpoint.hesitation_s"
    click = ends_after([*said, ("complete", "turn it up", [VOICE] * 2)])
    assert click is not None and click[1].setting == "endpoint.complete_s"


def test_a_short_sound_alone_is_rather_no_word() -> None:
    def setting(chunks: int) -> str:
        found = ends_after(
            [
                ("open", "play", [VOICE] * 20),
                ("open", "play", [QUIET] * 12),
                ("open", "play", [VOICE] * chunks),
                ("complete", "play pop", [QUIET]),
            ]
        )
        assert found is not None
        return found[1].setting

    assert (setting(10), setting(20)) == ("endpoint.hesitation_s", "endpoint.complete_s")


def test_while_nobody_speaks_the_rule_says_how_long_it_will_wait() -> None:
    rule = ByWords(WAITS)

    def fed(partial: str, voices: list[float], completeness: str = "open") -> Pause | None:
        rule.feed(Heard(len(voices) * CHUNK_SAMPLES, partial, 0.0, voices, completeness))
        return rule.pause

    assert fed("", [QUIET]) is None, "nothing was said yet"
    assert fed("set a", [VOICE] * 20) is None
    assert fed("set a", [QUIET] * 5) == Pause(0.16, WAITS.open_s)
    assert fed("set a timer", [QUIET] * 2, "unknown") == Pause(0.224, WAITS.unknown_s)
    assert fed("set a timer", [VOICE]) is None


def test_patience_says_how_long_it_will_wait_once_no_word_comes() -> None:
    rule = Patience()
    pauses = []
    for at in range(4):
        rule.feed(Heard(6400, "set a", 0.4 * at))
        pauses.append(rule.pause)
    assert pauses[:3] == [None, None, Pause(0.8, PAUSE_S)]
    assert pauses[3] is not None and pauses[3].silence_s == pytest.approx(1.2)


def test_who_has_said_nothing_yet_has_time() -> None:
    found = ends_after([("unknown", "", [QUIET])])
    assert found is not None and found[1] == End("silence", "endpoint.nothing_s", 8.0)


def test_nothing_ends_while_they_wait_for_a_recognizer() -> None:
    assert ends_after([("unknown", None, [QUIET])]) is None


def test_where_nobody_listens_for_voices_patience_decides() -> None:
    rule = ByWords(WAITS)
    ends = [rule.feed(Heard(512, "stop", 0.032 * number, None, "complete")) for number in range(70)]
    assert [number for number, end in enumerate(ends) if end is not None][0] == 63


def test_what_nobody_listened_to_may_have_been_a_voice() -> None:
    rule = ByWords(WAITS)
    for voices in ([QUIET] * 6, None, [QUIET] * 3):
        assert rule.feed(Heard(512, "stop", 0.0, voices, "complete")) is None
    assert rule.feed(Heard(512 * 4, "stop", 0.0, [QUIET] * 4, "complete")) is not None
