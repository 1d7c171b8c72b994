"""Which helpers are on, where they are, and what leaves the house with each: for `stimme check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.config import HelpersConfig
from appliance.helpers.targets import addresses, commands, targets


@dataclass(frozen=True)
class Row:
    """kind: "home", "chat", "webhook", "weather", "target" or "command". where: "" while it is off. sends: what it is
    told."""

    kind: str
    name: str
    where: str
    sends: str
    has_token: bool = False
    """A secret of the owner's goes there too."""


def helper_rows(config: HelpersConfig) -> Iterator[Row]:
    """One row a helper, target and command. Raises ConfigError for what is set wrongly."""
    where = {name: str(to) for name, to in addresses(config).items()}
    unknown = "; all that nobody understood" if config.when_not_understood else ""
    yield Row(
        "home",
        "Home Assistant",
        where.get("home", ""),
        f"sentences about lights, heating and the house{unknown}",
        bool(config.home_assistant_token),
    )
    yield Row(
        "chat",
        "language model",
        where.get("chat", ""),
        f"questions of knowledge, with the three before{unknown}",
        bool(config.chat_token),
    )
    heard = "all that nobody understood, and the place's name" if config.when_not_understood else "nothing"
    yield Row("webhook", "webhook", where.get("webhook", ""), heard)
    yield Row("weather", "weather", where.get("weather", ""), "the device's latitude and longitude, when somebody asks")
    for name, to in targets(config.targets).items():
        yield Row("target", f"target {name}", str(to), "what skills of yours send")
    for name, words in commands(config.commands).items():
        yield Row("command", f"command {name}", " ".join(words), "nothing leaves the house")
