"""What is told of an answer: its words, its values, and what changes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appliance import turns
from appliance.dialogue.actions import Action, SetSpeech, SetVolume, StopSpeaking
from appliance.dialogue.types import Answer, Reply
from appliance.turns import Tell


def answered(id: str, heard: str, answer: Answer, reply: Reply, timings: turns.Timings) -> turns.Answered:
    """reply: the answer's, or what became of it."""
    return turns.Answered(
        id,
        reply.text,
        reply.language,
        answer.intent.name,
        reply.understood,
        heard,
        dict(timings),
        answer.meant,
        _plain(answer.intent.slots),
        answer.can_be_undone,
        reply.question is not None,
    )


def tell_changes(id: str, actions: Sequence[Action], tell: Tell) -> None:
    """What whoever is at the place of a turn must follow: volume, language, silence."""
    for action in actions:
        match action:
            case SetVolume():
                tell(turns.VolumeChanged(action.percent))
            case SetSpeech() if action.language:
                tell(turns.LanguageChanged(action.language))
            case StopSpeaking():
                tell(turns.Silenced(id))


def _plain(slots: Mapping[str, object]) -> dict[str, str | float]:
    """Values as they can be shown; what has a form of its own is in the words of what was meant."""
    shown: dict[str, str | float] = {}
    for name, value in slots.items():
        if isinstance(value, str | int | float):
            shown[name] = value
        elif isinstance(value, tuple) and all(isinstance(part, str) for part in value):
            shown[name] = ", ".join(value)
    return shown
