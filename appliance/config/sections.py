"""The groups of settings: what each means, its environment name, unit and bounds.

The upper-case names of the migration guide (AUDIO_CHUNK_SIZE …) are public and stay as they are.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from appliance.language import LANGUAGES
from appliance.limits import CHUNK_BYTES


def setting(
    default: Any,
    env: str,
    help: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    even: bool = False,
    secret: bool = False,
) -> Any:
    """A dataclass field that knows its environment name, unit and bounds (inclusive). secret: is not shown."""
    metadata = dict(env=env, help=help, unit=unit, low=low, high=high, choices=choices, even=even, secret=secret)
    return field(default=default, metadata=metadata)


def seconds(default: float, env: str, help: str, low: float, high: float) -> Any:
    return setting(default, env, help, unit="seconds", low=low, high=high)


def port_number(default: int, env: str, help: str) -> Any:
    """0: the system chooses one that is free."""
    return setting(default, env, help, low=0, high=65535)


def gpio(env: str, what: str) -> Any:
    """One of the pins that a Raspberry Pi's header has."""
    return setting(0, env, f"GPIO number of {what}; 0: none", low=0, high=27)


@dataclass(frozen=True)
class StreamingConfig:
    """The migration guide's StreamingConfig: how finely audio is cut, and how many threads work on it."""

    chunk_size: int = setting(
        1024,
        "AUDIO_CHUNK_SIZE",
        "audio per message from pages on which no preset was chosen",
        unit="bytes",
        low=CHUNK_BYTES[0],
        high=CHUNK_BYTES[1],
        even=True,
    )
    max_chunk_buffer: int = setting(
        50,
        "MAX_CHUNK_BUFFER",
        "most chunks that may wait for a client that reads slowly",
        unit="chunks",
        low=4,
        high=1000,
    )
    stt_workers: int = setting(
        0,
        "STT_WORKERS",
        "threads that recognize speech; 0 chooses from the processor's cores",
        unit="threads",
        low=0,
        high=64,
    )
    tts_workers: int = setting(1, "TTS_WORKERS", "threads that synthesize speech", unit="threads", low=1, high=16)

    def workers(self) -> int:
        """The number of recognition threads in force."""
        return self.stt_workers or min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class ServerConfig:
    """Who may connect, where, and how much one client may ask for."""

    host: str = setting("127.0.0.1", "STIMME_HOST", "address to listen on; 0.0.0.0 opens it to the network")
    page_port: int = port_number(8080, "STIMME_PAGE_PORT", "port of the page")
    port: int = port_number(8123, "STIMME_PORT", "port of the plain WebSocket")
    lan: bool = setting(False, "STIMME_LAN", "open the page to the network, over HTTPS, to browsers that were paired")
    secure_port: int = port_number(8443, "STIMME_SECURE_PORT", "port of the page over HTTPS")
    certificate: str = setting(
        "", "STIMME_CERTIFICATE", "your own certificate (PEM, with its chain); empty: the device makes one"
    )
    certificate_key: str = setting("", "STIMME_CERTIFICATE_KEY", "the key of your own certificate (PEM)")
    pairing: str = setting(
        "network",
        "STIMME_PAIRING",
        "who must be paired: network (all but this machine), always, or off",
        choices=("network", "always", "off"),
    )
    names: tuple[str, ...] = setting((), "STIMME_NAMES", "further host names under which the page is reached")
    origins: tuple[str, ...] = setting(
        (), "STIMME_ORIGINS", "pages of yours on other ports or hosts that may connect, as http://HOST:PORT"
    )
    shares_ports: bool = setting(
        False, "STIMME_SHARES_PORTS", "let other processes listen on the same ports; `--processes` sets it"
    )
    max_connections: int = setting(
        100, "MAX_CONNECTIONS", "most clients connected at once", unit="connections", low=1, high=100_000
    )
    max_audio_duration_s: float = seconds(30.0, "MAX_AUDIO_DURATION", "longest utterance", 1, 600)
    ping_interval_s: float = seconds(
        20.0, "PING_INTERVAL", "a silent client is asked for a sign of life this often", 1, 3600
    )
    ping_timeout_s: float = seconds(10.0, "PING_TIMEOUT", "and dropped when none came within", 1, 3600)


@dataclass(frozen=True)
class SpeechConfig:
    """Which models hear and speak. Empty: the best one on disk (`stimme models list`)."""

    models_directory: str = setting("", "STIMME_MODELS", "where fetched models live; empty: the user's data directory")
    languages: tuple[str, ...] = setting(
        (),
        "STIMME_LANGUAGES",
        "load only these, and the device's own (en, de), to need less memory; empty: all that there are",
        choices=LANGUAGES,
    )
    hear_both: bool = setting(
        False, "STIMME_HEAR_BOTH", "hear English and German at once and answer what is understood; 2.5 times the work"
    )
    recognizer_en: str = setting("", "STIMME_RECOGNIZER_EN", "name or path of the English recognizer")
    recognizer_de: str = setting("", "STIMME_RECOGNIZER_DE", "name or path of the German recognizer")
    voice_en: str = setting("", "STIMME_VOICE_EN", "name or path of the English voice")
    voice_de: str = setting("", "STIMME_VOICE_DE", "name or path of the German voice")


@dataclass(frozen=True)
class EndpointConfig:
    """After how much silence an utterance ends by itself, where the person leaves that to the device."""

    complete_s: float = seconds(0.22, "STIMME_ENDPOINT_COMPLETE", "silence after a whole sentence", 0.1, 5)
    continuable_s: float = seconds(
        0.4, "STIMME_ENDPOINT_CONTINUABLE", "… after one that could go on: add milk (and bread)", 0.1, 5
    )
    text_s: float = seconds(
        0.8, "STIMME_ENDPOINT_TEXT", "… after one that ends in words of your own: a thing, a name, a note", 0.1, 5
    )
    unknown_s: float = seconds(0.7, "STIMME_ENDPOINT_UNKNOWN", "… after words that mean nothing", 0.1, 5)
    open_s: float = seconds(1.8, "STIMME_ENDPOINT_OPEN", "… after one that lacks something: set a timer for", 0.1, 10)
    hesitation_s: float = seconds(
        1.8, "STIMME_ENDPOINT_HESITATION", "… after um or another sound without words", 0.1, 10
    )
    nothing_s: float = seconds(8.0, "STIMME_ENDPOINT_NOTHING", "… when no word was said at all", 1, 60)


@dataclass(frozen=True)
class DeviceConfig:
    """The microphone, loudspeaker, button and lamp of the device itself."""

    enabled: bool = setting(False, "STIMME_DEVICE", "listen at the device's own microphone and button")
    microphone: str = setting("", "STIMME_MICROPHONE", "part of the microphone's name; empty: chosen automatically")
    loudspeaker: str = setting("", "STIMME_LOUDSPEAKER", "part of the loudspeaker's name; empty: chosen automatically")
    channel: int = setting(0, "STIMME_CHANNEL", "microphone channel to use, from 1; 0: automatic", low=0, high=32)
    key: str = setting("", "STIMME_KEY", "push-to-talk key as the kernel names it (KEY_SPACE); empty: media keys")
    gpio_button: int = gpio("STIMME_GPIO_BUTTON", "the push-to-talk button")
    gpio_mute: int = gpio("STIMME_GPIO_MUTE", "the mute switch")
    gpio_led: int = gpio("STIMME_GPIO_LED", "the lamp")
    terminal: bool = setting(False, "STIMME_TERMINAL_KEY", "the space bar in this terminal is the button")
    wake_words: tuple[str, ...] = setting(
        (), "STIMME_WAKE_WORDS", "words that wake the device (okay_nabu, hey_jarvis, …), 3 at most; empty: none"
    )
    peers: tuple[str, ...] = setting(
        (), "STIMME_PEERS", "your other devices, as HOST or HOST:PORT: the one that hears a wake word best answers"
    )
    peers_key: str = setting("", "STIMME_PEERS_KEY", "file that holds the key which all of them share")
    peers_port: int = setting(8931, "STIMME_PEERS_PORT", "UDP port at which they tell each other", low=1, high=65535)
    echo_cancelled: bool = setting(
        False,
        "STIMME_ECHO_CANCELLED",
        "the microphone takes away what the loudspeaker plays (a speakerphone, an array)",
    )
    earcons: bool = setting(True, "STIMME_EARCONS", "a short soft tone when listening begins and ends")


@dataclass(frozen=True)
class HelpersConfig:
    """Who may be asked for what the device cannot do itself; all off (docs/helpers.md says what leaves the house)."""

    targets: tuple[str, ...] = setting(
        (), "STIMME_TARGETS", "where skills of yours may send requests, as NAME=http://HOST:PORT"
    )
    commands: tuple[str, ...] = setting(
        (), "STIMME_COMMANDS", "programs that skills of yours may start, as NAME=/whole/path {slot}"
    )
    home_assistant: str = setting("", "STIMME_HOME_ASSISTANT", "Home Assistant's address, http://HOST:8123; empty: off")
    home_assistant_token: str = setting(
        "", "STIMME_HOME_ASSISTANT_TOKEN", "file that holds its long-lived access token"
    )
    chat: str = setting("", "STIMME_CHAT", "address of an OpenAI-compatible service, http://HOST:PORT/v1; empty: off")
    chat_model: str = setting("", "STIMME_CHAT_MODEL", "name of the model that it shall use")
    chat_token: str = setting("", "STIMME_CHAT_TOKEN", "file that holds its key; empty: it needs none")
    webhook: str = setting("", "STIMME_WEBHOOK", "address that is sent what nobody else understood; empty: off")
    weather: str = setting(
        "", "STIMME_WEATHER", "address of a forecast in Open-Meteo's format (…/v1/forecast); empty: off"
    )
    when_not_understood: bool = setting(
        True, "STIMME_HELPERS_UNKNOWN", "ask helpers that are on what was not understood too"
    )
    timeout_s: float = seconds(
        8.0, "STIMME_HELPERS_TIMEOUT", "a helper that has not begun to answer by then is away", 1, 60
    )


@dataclass(frozen=True)
class PlaceConfig:
    """Where the device stands: for sunrise and sunset, public holidays, and announcements to its room."""

    latitude: float = setting(
        52.52, "STIMME_LATITUDE", "latitude for sunrise and sunset (Berlin's)", unit="degrees", low=-90, high=90
    )
    longitude: float = setting(
        13.405, "STIMME_LONGITUDE", "longitude for sunrise and sunset", unit="degrees", low=-180, high=180
    )
    region: str = setting("DE-BE", "STIMME_REGION", "whose public holidays: country and region as in DE-BY, AT, GB-SCT")
    room: str = setting("", "STIMME_ROOM", "room that the device stands in, for announcements to it: kitchen")


@dataclass(frozen=True)
class UpdateConfig:
    """Where an appliance gets newer releases of Stimme from. Nothing is asked for unless this is set."""

    url: str = setting("", "STIMME_UPDATE_URL", "address that holds latest.json; empty: none")
    automatic: bool = setting(False, "STIMME_UPDATE_AUTOMATIC", "install newer releases at night by itself")


@dataclass(frozen=True)
class ClientsConfig:
    """Other people's programs, by the protocol that they speak (docs/clients). All off until switched on."""

    allowed: tuple[str, ...] = setting(
        (),
        "STIMME_CLIENTS",
        "addresses or networks whose programs may use Wyoming and Vosk's WebSocket, which know "
        "no tokens; empty: this machine's only",
    )
    wyoming: bool = setting(False, "STIMME_WYOMING", "hear, speak and answer for Home Assistant, by Wyoming")
    vosk: bool = setting(False, "STIMME_VOSK", "hear for programs that know vosk-server's WebSocket")
    vosk_port: int = port_number(2700, "STIMME_VOSK_PORT", "port of Vosk's WebSocket")
    openai: bool = setting(
        False, "STIMME_OPENAI", "hear and speak at the page's port, at /v1/audio/… as OpenAI's API has it"
    )
    mqtt: str = setting(
        "",
        "STIMME_MQTT",
        "your MQTT broker, as mqtts://USER:PASSWORD@HOST: told what the device does, not words",
        secret=True,
    )
    mqtt_words: bool = setting(False, "STIMME_MQTT_WORDS", "tell the MQTT broker what was heard and answered, too")
    mqtt_prefix: str = setting("homeassistant", "STIMME_MQTT_PREFIX", "where Home Assistant looks for new devices")
    mqtt_authority: str = setting(
        "", "STIMME_MQTT_AUTHORITY", "certificate authority of the broker (PEM); empty: those that the system trusts"
    )
    wyoming_port: int = port_number(10300, "STIMME_WYOMING_PORT", "port of Wyoming")


@dataclass(frozen=True)
class FarmConfig:
    """Where several machines meet (docs/farm.md). Empty: this one does everything by itself."""

    redis: str = setting("", "STIMME_REDIS", "Redis that several machines share, as rediss://user@host:6379/0")
    password_file: str = setting("", "STIMME_REDIS_PASSWORD_FILE", "file that holds Redis' password")
    authority: str = setting(
        "", "STIMME_REDIS_CA", "certificate (PEM) of the authority behind rediss://; empty: those the system trusts"
    )
