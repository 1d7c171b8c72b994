"""The scene in which the phrase tables play: Tuesday, 3 March 2026, 15:07, with a few things set."""

from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

from appliance.dialogue.dialogue import replies
from appliance.dialogue.families import FAMILIES
from appliance.dialogue.things import Timer
from appliance.dialogue.types import Context, Intent, Reply, Skill
from appliance.language import LANGUAGES, Language

NOW = datetime(2026, 3, 3, 15, 7, tzinfo=UTC)
TIMERS: dict[Language, tuple[Timer, ...]] = {
    "en": (
        Timer(1, "timer", "pizza", datetime(2026, 3, 3, 15, 11, 10, tzinfo=UTC), 600),
        Timer(2, "reminder", "water the plants", datetime(2026, 3, 3, 18, 0, tzinfo=UTC), 0),
        Timer(3, "alarm", "", datetime(2026, 3, 4, 6, 30, tzinfo=UTC), 0),
    ),
    "de": (
        Timer(1, "timer", "pizza", datetime(2026, 3, 3, 15, 11, 10, tzinfo=UTC), 600),
        Timer(2, "reminder", "die Blumen", datetime(2026, 3, 3, 18, 0, tzinfo=UTC), 0),
        Timer(3, "alarm", "", datetime(2026, 3, 4, 6, 30, tzinfo=UTC), 0),
    ),
}


SKILLS: dict[str, Skill] = {intent: skill for family in FAMILIES for intent, skill in family.skills.items()}


def replied(intent: Intent, context: Context) -> Reply:
    """What the intent's skill says; none of those tried this way asks a helper."""
    said = SKILLS[intent.name](intent, context)
    assert isinstance(said, Reply)
    return said


TEXTS = {language: replies(FAMILIES, language) for language in LANGUAGES}


def context(language: Language, *timers: Timer, now: datetime = NOW, volume: int = 70, seed: int = 0) -> Context:
    """A context in which the scene's timers run, or those given."""
    heard = "what time is it" if language == "en" else "wie spät ist es"
    said = "It's three o'clock." if language == "en" else "Es ist fünfzehn Uhr."
    return Context(
        language,
        now,
        TEXTS[language],
        timers or TIMERS[language],
        last_reply=said,
        last_heard=heard,
        volume=volume,
        volume_before_mute=60,
        random=Random(seed),
        help={family.name: family.help(language) for family in FAMILIES},
    )


def slots_text(slots: Mapping[str, object]) -> str:
    """Slots as the phrase tables write them: "duration_s=300; name=pizza"."""
    return "; ".join(f"{key}={_shown(slots[key])}" for key in sorted(slots))


def _shown(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
