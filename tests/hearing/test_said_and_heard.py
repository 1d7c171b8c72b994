"""What the recognizer writes and what understanding reads agree: numbers, times of day, dates.

A sample here; `make test-said` says and hears all 10,000 numbers, 1,440 minutes and 366 dates, and keeps what came of
it in bench/results/said.json.
"""

from __future__ import annotations

import json
import os

import pytest

from appliance.language import LANGUAGES, Language
from tests.benchmarks.results import RESULTS, machine
from tests.support.said import ALL, Heard, Round, sample

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
        for one in wrong[: None if EVERYTHING else 3]:
            print(f"    {one.said!r} was heard as {one.heard!r} ({one.intent})")  # noqa: T201
    if EVERYTHING:
        keep(language, kind, heard)
    assert right >= FEWEST_RIGHT[language, kind]


def keep(language: Language, kind: str, heard: list[Heard]) -> None:
    """Add one kind's figures to bench/results/said.json."""
    file = RESULTS / "said.json"
    figures = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    right = sum(one.right for one in heard)
    figures["machine"] = machine()
    figures.setdefault(language, {})[kind] = {
        "said": len(heard),
        "right_percent": round(100 * right / len(heard), 1),
        "another_meaning_percent": round(
            100 * sum(bool(one.intent) and not one.right for one in heard) / len(heard), 1
        ),
    }
    file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
