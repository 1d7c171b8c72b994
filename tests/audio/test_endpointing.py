"""The rule that ends a tapped utterance, as a table of what came when."""

from __future__ import annotations

import pytest

from appliance.audio.endpointing import End, Patience


def quiet(seconds: float) -> bytes:
    return bytes(2 * round(16_000 * seconds))


@pytest.mark.parametrize(("fed", "ends_at"), [
    ([(0, ""), (7.9, "")], None),
    ([(0, ""), (7.9, ""), (8.0, "")], 8.0),
    ([(0, ""), (1, "what"), (2.9, "what"), (3.0, "what")], 3.0),
    ([(0, ""), (1, "what"), (2.5, "what time"), (4.4, "what time"), (4.5, "what time")], 4.5),
    ([(0, ""), (7.9, "what"), (9.8, "what")], None),
    ([(0, None), (20, None), (27.9, "")], None),
    ([(0, None), (20, None), (21, ""), (28.9, ""), (29.0, "")], 29.0),
    ([(0, None), (20, "what"), (21.9, "what"), (22.0, "what")], 22.0),
], ids=["still patient", "no word in eight seconds", "two seconds after the last word", "a new word begins anew",
        "a late word", "waiting for a recognizer costs nothing", "silence counts from when somebody listens",
        "words caught up with"])
def test_patience_ends_with_silence(fed: list[tuple[float, str | None]], ends_at: float | None) -> None:
    rule = Patience()
    before = [0.0, *(at for at, _ in fed)]
    ends = [(at, end) for (at, partial), last in zip(fed, before, strict=False)
            if (end := rule.feed(quiet(at - last), partial, 100 + at))]
    assert ends == ([(ends_at, End("silence"))] if ends_at is not None else [])


@pytest.mark.parametrize(
    ("pieces_s", "every_s"), [(0.1, 0.3), (0.5, 0.01)], ids=["a thin link", "all at once after a drop"])
def test_patience_wants_both_the_sound_and_the_time(pieces_s: float, every_s: float) -> None:
    rule = Patience()
    rule.feed(quiet(pieces_s), "what time", 0.0)
    ended = next(n for n in range(1, 1000) if rule.feed(quiet(pieces_s), "what time", n * every_s))
    assert min(ended * pieces_s, ended * every_s) == pytest.approx(2.0, abs=max(pieces_s, every_s))
