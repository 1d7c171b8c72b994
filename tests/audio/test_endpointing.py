"""The rule that ends a tapped utterance, as a table of what came when."""

from __future__ import annotations

import pytest

from appliance.audio.endpointing import End, Patience

QUIET = bytes(640)


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
    ends = [(at, end) for at, partial in fed if (end := rule.feed(QUIET, partial, 100 + at))]
    assert ends == ([(ends_at, End("silence"))] if ends_at is not None else [])
