"""What Home Assistant is told to make of a device's topics (its MQTT discovery, one message a device), as data.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery. openHAB and others read the same.
"""

from __future__ import annotations

from typing import Any

from appliance import __version__

STATES = ("idle", "listening", "thinking", "speaking")


def base(id: str) -> str:
    """What all topics of a device begin with."""
    return f"stimme/{id}"


def topic(id: str, prefix: str) -> str:
    """Where a device is announced. prefix: Home Assistant's discovery prefix."""
    return f"{prefix}/device/{id}/config"


def announcement(id: str, *, has_device: bool, tells_words: bool) -> dict[str, Any]:
    """has_device: it has a microphone and a loudspeaker of its own. tells_words: what is heard and answered, too."""
    components = {
        "state": _sensor("State", "state", icon="mdi:account-voice", device_class="enum", options=list(STATES)),
        "intent": _sensor("Last intent", "intent", icon="mdi:lightbulb-on-outline"),
        "timers": _sensor(
            "Timers",
            "timers",
            icon="mdi:timer-outline",
            json_attributes_topic="~/timers/attributes",
            state_class="measurement",
        ),
        "next": _sensor("Next timer", "timers/next", device_class="timestamp"),
        "stop": {"platform": "button", "name": "Stop", "icon": "mdi:stop", "command_topic": "~/stop/set"},
    }
    if has_device:
        components["volume"] = {
            "platform": "number",
            "name": "Volume",
            "icon": "mdi:volume-high",
            "state_topic": "~/volume",
            "command_topic": "~/volume/set",
            "min": 0,
            "max": 100,
            "unit_of_measurement": "%",
        }
        components["mute"] = {
            "platform": "switch",
            "name": "Microphone off",
            "icon": "mdi:microphone-off",
            "state_topic": "~/mute",
            "command_topic": "~/mute/set",
        }
    if tells_words:
        components["heard"] = _sensor("Heard", "heard", icon="mdi:ear-hearing")
        components["answered"] = _sensor("Answered", "answered", icon="mdi:message-text-outline")
    return {
        "device": {"identifiers": [id], "name": "Stimme", "manufacturer": "Stimme", "sw_version": __version__},
        "origin": {"name": "stimme", "sw_version": __version__},
        "availability_topic": f"{base(id)}/available",
        "components": {name: _whole(id, name, component) for name, component in components.items()},
    }


def _sensor(name: str, topic: str, **further: Any) -> dict[str, Any]:
    return {"platform": "sensor", "name": name, "state_topic": f"~/{topic}", **further}


def _whole(id: str, name: str, component: dict[str, Any]) -> dict[str, Any]:
    topics = {key: value.replace("~", base(id), 1) for key, value in component.items() if key.endswith("_topic")}
    return component | topics | {"unique_id": f"{id}_{name}"}
