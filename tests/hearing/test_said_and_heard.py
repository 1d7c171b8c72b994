"""What the recognizer writes and what understanding reads agree: numbers, times of day, dates.

A sample here; `make test-said` says and hears all 10,000 numbers, 1,440 minutes and 366 dates (half an hour).
"""

from __future__ import annotations

import os

import pytest

from appliance.language import LANGUAGES, Language
from tests.support.said import ALL, Round, sample

EVERYTHING = bool(os.environ.get("STIMME_TEST_ALL"))
SAMPLE = 40
FEWEST_RIGHT: dict[tuple[Language, str], float] = {
    ("de", "numbers"): 0.95,
    ("de", "minutes"): 0.95,
    ("de", "dates"): 0.9,
    ("en", "numbers"): 0.8,
    ("en", "minutes"): 0.8,
    ("en", "dates"): 0.8,
}
"""The German recognizer knows Pico's voice, the English one has never heard it."""


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    language: Language = request.param
    return language


@pytest.fixture(scope="module")
def round_trip(language: Language, tmp_path_factory: pytest.TempPathFactory) -> Round:
    return Round(language, tmp_path_factory.mktemp("voices"))


@pytest.mark.timeout(0 if EVERYTHING else 120)
@pytest.mark.parametrize("kind", ALL)
def test_what_is_said_is_heard_and_read(
    round_trip: Round, language: Language, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ALL[kind](language)
    heard = round_trip.hear_all(said if EVERYTHING else sample(said, SAMPLE))
    wrong = [one for one in heard if not one.right]
    right = 1 - len(wrong) / len(heard)
    with capsys.disabled():
        print(f"\n{language} {kind}: {right:.1%} of {len(heard)} said, heard and read right")  # noqa: T201
        for one in wrong[: 200 if EVERYTHING else 3]:
            print(f"    {one.said!r} was heard as {one.heard!r} ({one.intent})")  # noqa: T201
    assert right >= FEWEST_RIGHT[language, kind]
