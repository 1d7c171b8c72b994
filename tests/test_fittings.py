"""What follows from anybody's turns."""

import logging

import pytest

from appliance import turns
from appliance.fittings import Told
from appliance.hearing.transcript import PoolStats
from appliance.server.metrics import Metrics

ANSWERED = turns.Answered("1", "It is three.", "en", "HassGetCurrentTime", True, "what time is it", {})


@pytest.mark.parametrize(
    ("log_speech", "logged"), [(False, []), (True, ["heard 'what time is it', answered 'It is three.'"])]
)
def test_what_people_say_is_in_the_log_only_if_the_owner_wants_it(
    log_speech: bool, logged: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    told = Told(Metrics(lambda: PoolStats(0, 0, 0, 0, 0.0, 0.0)), log_speech=log_speech)
    with caplog.at_level(logging.DEBUG):
        for event in (
            turns.PartialHeard("1", "what time"),
            turns.FinalHeard("1", "what time is it", 0.9, 1.0, False, {}),
            ANSWERED,
        ):
            told.event(event)
    assert caplog.messages == logged
