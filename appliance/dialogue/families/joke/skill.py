"""Jokes, written for this assistant."""

from __future__ import annotations

from appliance.dialogue.family import Family
from appliance.dialogue.types import Context, Intent, Reply
from appliance.language import Language

JOKES: dict[Language, tuple[str, ...]] = {
    "en": (
        "My timer and I broke up. It said I never had a minute for it.",
        "I asked the oven how the pizza was doing. It told me not to be so nosy, it was getting baked.",
        "Why did the microphone go on holiday? It could not take in any more.",
        "My alarm clock wants a raise. It says it always gets people up, but never gets up itself.",
        "I tried to count all the silent letters. Nobody heard a thing.",
        "The calendar is very popular. It has so many dates.",
        "Why are loudspeakers so bad at secrets? They cannot keep anything down.",
        "A byte walks into a kitchen. The cook says, you look a bit off.",
        "I told the thermostat a joke. It warmed up to me, but only two degrees.",
        "Why did the dice stay at home? It had a bad turn.",
        "My neighbour's robot vacuum wrote a book. It sucks, but it covers the ground.",
        "I would tell you a joke about the network, but I work without one.",
    ),
    "de": (
        "Mein Timer hat Schluss gemacht. Er sagt, ich hätte nie eine Minute für ihn.",
        "Warum war der Wecker beim Arzt? Ihm klingelten dauernd die Ohren.",
        "Die Münze wollte keinen Streit. Sie sagt, jede Sache hat zwei Seiten.",
        "Was macht ein Mikrofon im Urlaub? Es lässt endlich alles an sich vorbeireden.",
        "Der Kühlschrank ist beleidigt. Alle lassen ihn eiskalt stehen.",
        "Warum ist der Kalender so traurig? Seine Tage sind gezählt.",
        "Ich habe dem Ofen einen Witz erzählt. Er hat sich warm gelacht.",
        "Warum gehen Würfel nie zur Wahl? Sie legen sich ungern fest.",
        "Der Lautsprecher kann kein Geheimnis behalten. Ihm rutscht immer etwas heraus.",
        "Mein Taschenrechner ist sehr verlässlich. Auf ihn kann man zählen.",
        "Was sagt die Uhr am Abend? Jetzt ist es aber höchste Zeit.",
        "Ich wollte einen Witz über das Internet erzählen. Aber ich habe ja keins.",
    ),
}


def tell(intent: Intent, context: Context) -> Reply:
    """A joke, but not the one that was told last."""
    jokes = [joke for joke in JOKES[context.language] if joke != context.last_reply]
    return Reply(context.random.choice(jokes), context.language)


FAMILY = Family(
    "joke",
    skills={
        "TellJoke": tell,
    },
)
