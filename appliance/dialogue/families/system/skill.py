"""What the device knows of itself, and what it does to itself: address, temperature, memory, restart, pairing."""

from __future__ import annotations

from fractions import Fraction

from appliance.dialogue.actions import ListenForWord, SystemAction
from appliance.dialogue.family import Family
from appliance.dialogue.types import Ask, Context, Intent, Question, Reply

PAIRING = "pairing"
"""Who is asked for a code that lets a new browser in; it is made when somebody asks."""


def tell_address(intent: Intent, context: Context) -> Reply:
    addresses, host = context.device.addresses, context.device.host
    if not addresses:
        return context.say("system.no_network")
    return context.say("system.address", each=addresses, host=host)


def tell_network(intent: Intent, context: Context) -> Reply:
    if not context.device.addresses:
        return context.say("system.no_network")
    network = context.device.network
    return context.say("system.network" if network else "system.cable", network=network)


def tell_temperature(intent: Intent, context: Context) -> Reply:
    celsius = context.device.temperature_c
    if celsius is None:
        return context.say("system.unknown")
    return context.say("system.hot" if celsius >= 75 else "system.temperature", n=round(celsius))


def tell_memory(intent: Intent, context: Context) -> Reply:
    disk = intent.slots.get("what") == "disk"
    free_mb = context.device.disk_free_mb if disk else context.device.memory_free_mb
    if free_mb is None:
        return context.say("system.unknown")
    name = "system.disk" if disk else "system.ram"
    if free_mb >= 1000:
        return context.say(f"{name}_gb", value=round(Fraction(free_mb) / 1000, 1))
    return context.say(f"{name}_mb", value=Fraction(round(free_mb)))


def tell_version(intent: Intent, context: Context) -> Reply:
    version = context.device.version
    return context.say("system.version" if version else "system.unknown", version=version)


def tell_uptime(intent: Intent, context: Context) -> Reply:
    seconds = context.device.uptime_s
    return context.say("system.unknown") if seconds is None else context.say("system.uptime", time=seconds)


def check_update(intent: Intent, context: Context) -> Reply:
    update = context.device.update
    return context.say("system.update" if update else "system.no_update", version=update)


def how_fast(intent: Intent, context: Context) -> Reply:
    times = {name: value for name, value in context.device.last_turn_ms.items() if value > 0}
    if not times:
        return context.say("system.no_times")
    return context.say("system.how_fast", n=round(sum(times.values())))


def pairing_code(intent: Intent, context: Context) -> Reply | Ask:
    if not context.may_configure:
        return context.say("system.may_not")
    if PAIRING not in context.helpers:
        return context.say("system.no_pairing")
    return Ask(PAIRING, "", lambda code: context.say("system.pairing", code=", ".join(code)))


def tell_fingerprint(intent: Intent, context: Context) -> Reply:
    words = context.device.fingerprint
    return context.say("system.fingerprint" if words else "system.no_fingerprint", words=", ".join(words))


def listen_for_word(intent: Intent, context: Context) -> Reply:
    if ListenForWord not in context.can:
        return context.say("system.no_ear")
    if not context.may_configure:
        return context.say("system.may_not")
    if intent.slots.get("on"):
        return context.say("system.wake_on", actions=[ListenForWord()])
    return context.say("system.wake_off", actions=[ListenForWord(())])


def restart(intent: Intent, context: Context) -> Reply:
    return _to_itself("restart", intent, context)


def shut_down(intent: Intent, context: Context) -> Reply:
    return _to_itself("shutdown", intent, context)


def _to_itself(what: str, intent: Intent, context: Context) -> Reply:
    if SystemAction not in context.can:
        return context.say("system.not_mine")
    if not context.may_configure:
        return context.say("system.may_not")
    if not intent.slots.get("confirmed"):
        return context.say(f"system.{what}_sure", question=Question(intent))
    return context.say(f"system.{what}", actions=[SystemAction(what)])  # type: ignore[arg-type]


FAMILY = Family(
    "system",
    skills={
        "TellAddress": tell_address,
        "TellNetwork": tell_network,
        "TellTemperature": tell_temperature,
        "TellMemory": tell_memory,
        "TellVersion": tell_version,
        "TellUptime": tell_uptime,
        "CheckUpdate": check_update,
        "HowFast": how_fast,
        "PairingCode": pairing_code,
        "TellFingerprint": tell_fingerprint,
        "ListenForWord": listen_for_word,
        "Restart": restart,
        "ShutDown": shut_down,
    },
    acts=frozenset({"ListenForWord", "Restart", "ShutDown"}),
    for_good=frozenset({"Restart", "ShutDown"}),
    about_device=True,
)
