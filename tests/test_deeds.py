"""What only a device can do, asked for by typing, in both languages: it happens, or is declined in plain words."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from appliance import power, turns
from appliance.dialogue.actions import SetSpeech
from appliance.dialogue.quiet import is_quiet
from appliance.dialogue.understanding import Understanding
from appliance.language import Language
from tests.support.household import Person, house


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding()


@pytest.mark.parametrize(
    ("language", "ask", "sure", "yes", "reply", "method"),
    [
        ("en", "shut down", "Shall I switch myself off?", "yes", "Okay, goodbye.", "PowerOff"),
        ("de", "fahr dich herunter", "Soll ich mich ausschalten?", "ja", "Okay, bis bald.", "PowerOff"),
        ("en", "restart", "Shall I restart?", "yes please", "Okay, I'll be back in a moment.", "Reboot"),
        ("de", "starte neu", "Soll ich neu starten?", "ja", "Okay, ich bin gleich wieder da.", "Reboot"),
    ],
)
async def test_it_restarts_and_switches_off_once_somebody_said_yes(
    understanding: Understanding, language: Language, ask: str, sure: str, yes: str, reply: str, method: str
) -> None:
    async with house(understanding) as home:
        person = home.enters("tablet")
        assert await person.ask(ask, language) == sure
        assert not home.bus_calls
        assert await person.ask(yes, language) == reply
        assert home.bus_calls == [(f"Can{method}",)], "its last words are spoken first"
        await asyncio.sleep(0)
        home.awake.set()
    assert home.bus_calls[1:] == [(method, "b", "false")]


async def test_no_means_that_nothing_is_switched_off(understanding: Understanding) -> None:
    async with house(understanding) as home:
        person = home.enters("tablet")
        await person.ask("shut down")
        assert await person.ask("no") == "Okay, I won't."
    assert not home.bus_calls


async def test_what_the_system_refuses_is_said(understanding: Understanding) -> None:
    async with house(understanding) as home:
        home.bus_says = 's "challenge"\n'
        person = home.enters("tablet")
        await person.ask("fahr dich herunter", "de")
        assert await person.ask("ja", "de") == "Das System lässt mich das nicht tun. Bitte mach es selbst."
    assert home.bus_calls == [("CanPowerOff",)]


@pytest.mark.parametrize(
    ("language", "ask", "reply"),
    [
        ("en", "shut down", "This computer is not mine to switch off or restart. Please do that yourself."),
        ("de", "starte neu", "Diesen Rechner darf ich nicht ausschalten oder neu starten. Das musst du selbst tun."),
    ],
)
async def test_a_desktop_is_not_switched_off(
    understanding: Understanding, language: Language, ask: str, reply: str
) -> None:
    async with house(understanding, is_appliance=False) as home:
        assert await home.enters("tablet").ask(ask, language) == reply


@pytest.mark.parametrize("ask", ["shut down", "restart", "what is the pairing code", "listen for your name"])
async def test_a_guest_may_neither_switch_off_nor_let_others_in(understanding: Understanding, ask: str) -> None:
    async with house(understanding) as home:
        reply = await home.enters("guest", may_configure=False).ask(ask)
    assert reply == "Only somebody at the device itself, or who may change its settings, can ask for that."
    assert not home.pairing.is_open(0) and not home.device.wake_words


@pytest.mark.parametrize(
    ("language", "ask", "reply"),
    [
        ("en", "what is the pairing code", "The code is 1, 2, 3, 4, 5, 6."),
        ("de", "wie ist der kopplungscode", "Der Code ist 1, 2, 3, 4, 5, 6."),
        (
            "en",
            "tell me the four words of your certificate",
            "The four words are: alpha, gecko, oval, zebra. They must be the same on the page.",
        ),
        (
            "de",
            "sag mir den fingerabdruck",
            "Die vier Wörter sind: alpha, gecko, oval, zebra. Auf der Seite müssen dieselben stehen.",
        ),
    ],
)
async def test_the_code_and_the_words_are_said(
    understanding: Understanding, language: Language, ask: str, reply: str
) -> None:
    async with house(understanding) as home:
        assert await home.enters("tablet").ask(ask, language) == reply


@pytest.mark.parametrize(
    ("language", "ask", "begins"),
    [
        ("en", "what version are you", "Version "),
        ("de", "welche version hast du", "Version "),
        ("en", "how much memory is free", ""),
        ("de", "wie viel speicher ist frei", ""),
        ("en", "how long have you been running", "For "),
        ("de", "wie lange läufst du schon", "Seit "),
    ],
)
async def test_it_knows_itself(understanding: Understanding, language: Language, ask: str, begins: str) -> None:
    async with house(understanding) as home:
        reply = await home.enters("tablet").ask(ask, language)
    assert reply.startswith(begins) and "can't tell" not in reply and "nicht sagen" not in reply


async def test_how_fast_it_was_is_told_of_the_turn_before(understanding: Understanding) -> None:
    async with house(understanding) as home:
        person = home.enters("tablet")
        assert await person.ask("how fast are you") == "I have not answered anything yet."
        await person.ask("what time is it")
        assert (await person.ask("how fast are you")).startswith("The last answer took ")


@pytest.mark.parametrize(
    ("language", "ask", "reply", "heard"),
    [
        ("en", "tell everyone that dinner is ready", "Okay, announced.", "Announcement: Dinner is ready."),
        ("de", "sag allen dass das essen fertig ist", "Okay, durchgesagt.", "Durchsage: Das essen fertig ist."),
    ],
)
async def test_an_announcement_reaches_all_other_places(
    understanding: Understanding, language: Language, ask: str, reply: str, heard: str
) -> None:
    async with house(understanding) as home:
        here, there = home.enters("kitchen tablet"), home.enters("laptop")
        assert await here.ask(ask, language) == reply
        await there.session.settled()
        await asyncio.sleep(0)
        assert (here.said(), there.said()) == ([], [heard])
        assert home.device.announced == [{language: heard}]


async def test_an_announcement_to_one_room_is_heard_there_alone(understanding: Understanding) -> None:
    async with house(understanding) as home:
        here, kitchen, laptop = home.enters("phone"), home.enters("kitchen tablet"), home.enters("laptop")
        assert await here.ask("announce in the kitchen that dinner is ready") == "Okay, said in the kitchen."
        await kitchen.session.settled()
        assert (kitchen.said(), laptop.said(), home.device.announced) == (["Announcement: Dinner is ready."], [], [])
        unknown = await here.ask("announce in the garage that dinner is ready")
        assert unknown == "There is no place called garage. There is the device, kitchen tablet and laptop."


@pytest.mark.parametrize(
    ("language", "ask", "off", "on", "reply"),
    [
        (
            "en",
            "turn the microphone off",
            "Okay, the microphone is off. A button switches it on again.",
            "turn the microphone on",
            "Okay, the microphone is on.",
        ),
        (
            "de",
            "mach das mikrofon aus",
            "Okay, das Mikrofon ist aus. Ein Knopf schaltet es wieder ein.",
            "schalt das mikrofon wieder ein",
            "Okay, das Mikrofon ist an.",
        ),
    ],
)
async def test_the_microphone_is_switched_off_and_on(
    understanding: Understanding, language: Language, ask: str, off: str, on: str, reply: str
) -> None:
    async with house(understanding) as home:
        person = home.enters("tablet")
        assert await person.ask(ask, language) == off
        assert home.device.muted
        assert await person.ask(on, language) == reply
        assert not home.device.muted


async def test_a_microphone_that_is_off_for_a_while_comes_back(understanding: Understanding) -> None:
    async with house(understanding) as home:
        assert await home.enters("tablet").ask("turn the microphone off for ten minutes") == (
            "Okay, the microphone is off for ten minutes."
        )
        await asyncio.sleep(0)
        assert home.device.muted and home.slept == [600]
    assert not home.device.muted


@pytest.mark.parametrize(
    ("language", "ask", "reply", "speed"),
    [
        ("en", "speak faster", "Okay, 1.25 times normal speed.", 1.25),
        ("de", "sprich dreimal so schnell", "", 3.0),
        ("en", "as fast as you can", "", 3.0),
    ],
)
async def test_the_next_reply_is_spoken_faster(
    understanding: Understanding, language: Language, ask: str, reply: str, speed: float
) -> None:
    async with house(understanding) as home:
        person = home.enters("tablet")
        said = await person.ask(ask, language)
        assert said == reply or not reply
        assert home.fake.manners[-1] == (speed, "")
        await person.ask("undo" if language == "en" else "mach das rückgängig", language)
        assert home.fake.manners[-1] == (1.0, "")


async def test_voice_and_speed_are_kept_for_the_place(understanding: Understanding) -> None:
    async with house(understanding) as home:
        person = home.enters("tablet")
        await person.ask("speak faster")
        assert await person.ask("use a female voice") == "Okay, how is this voice?"
        assert home.fake.manners[-1] == (1.25, "pico")
        assert await person.ask("use the voice joe") == "Okay, how is this voice?"
        assert home.enters("tablet").session.memory.speech == SetSpeech(voice="joe", speed=1.25)
        assert home.enters("laptop").session.memory.speech == SetSpeech()


async def test_a_voice_that_is_not_there_is_declined(understanding: Understanding) -> None:
    async with house(understanding) as home:
        person = home.enters("tablet")
        assert await person.ask("nimm eine männliche stimme", "de") == "So eine Stimme habe ich nicht. Es gibt Pico."
        assert person.session.memory.speech == SetSpeech()


@pytest.mark.parametrize(
    ("language", "ask", "other", "reply"),
    [
        ("en", "speak german", "de", "Gut, ich spreche jetzt Deutsch."),
        ("de", "sprich englisch", "en", "Okay, I speak English now."),
    ],
)
async def test_another_language_is_spoken_at_once_and_from_then_on(
    understanding: Understanding, language: Language, ask: str, other: Language, reply: str
) -> None:
    async with house(understanding) as home:
        person = home.enters("tablet")
        assert await person.ask(ask, language) == reply
        assert turns.LanguageChanged(other) in person.events
        assert person.session.language == other
        answer = next(event for event in person.events if isinstance(event, turns.Answered))
        assert answer.language == other, "it is said by a voice of that language"


@pytest.mark.parametrize(
    ("language", "hours", "announce", "reply"),
    [
        (
            "en",
            "quiet hours from ten in the evening to seven",
            "tell everyone that dinner is ready",
            "It is quiet time, so I did not announce it.",
        ),
        (
            "de",
            "ruhezeit von zweiundzwanzig bis sieben uhr",
            "sag allen dass das essen fertig ist",
            "Es ist Ruhezeit, deshalb habe ich es nicht durchgesagt.",
        ),
    ],
)
async def test_nothing_is_announced_in_quiet_hours(
    understanding: Understanding, language: Language, hours: str, announce: str, reply: str
) -> None:
    async with house(understanding) as home:
        here, there = home.enters("tablet"), home.enters("laptop")
        await here.ask(hours, language)
        assert home.stores.keeper.get("quiet") == ["22:00", "07:00"]
        home.clock.pass_s(8 * 3600)  # 23:07
        assert await here.ask(announce, language) == reply
        assert there.said() == [] and not home.device.announced


@pytest.mark.parametrize(
    ("clock", "quiet"), [("21:59", False), ("22:00", True), ("00:00", True), ("06:59", True), ("07:00", False)]
)
def test_quiet_hours_go_over_midnight(clock: str, quiet: bool) -> None:
    assert is_quiet(["22:00", "07:00"], datetime.fromisoformat(f"2026-03-03T{clock}")) is quiet
    assert not is_quiet(None, datetime.fromisoformat(f"2026-03-03T{clock}"))
    assert not is_quiet(["x"], datetime.fromisoformat(f"2026-03-03T{clock}"))


def test_only_the_images_service_is_an_appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "stimme.toml"
    monkeypatch.setenv("INVOCATION_ID", "1")
    assert not power.is_appliance(file)
    file.touch()
    assert power.is_appliance(file)
    monkeypatch.delenv("INVOCATION_ID")
    assert not power.is_appliance(file)


@pytest.mark.parametrize(
    ("script", "allowed"),
    [('echo "s \\"yes\\""', True), ('echo "s \\"no\\""', False), ("echo no bus >&2; exit 1", False)],
)
def test_logind_is_asked_by_busctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, allowed: bool) -> None:
    program, asked = tmp_path / "busctl", tmp_path / "asked"
    program.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert power.may("shutdown") is allowed
    power.do("restart")
    manager = "--system call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager"
    assert asked.read_text().splitlines() == [f"{manager} CanPowerOff", f"{manager} Reboot b false"]


async def test_a_person_hears_of_the_house_only_what_they_may(understanding: Understanding) -> None:
    async with house(understanding) as home:
        person: Person = home.enters("tablet")
        assert home.deeds.rooms(person.session.memory) == ("the device",)
        assert home.deeds.rooms(home.device.session.memory) == ("tablet",)


@pytest.mark.parametrize(
    ("language", "on", "off", "undo"),
    [
        ("en", "listen for your name", "stop listening for your name", "undo"),
        ("de", "hör auf deinen Namen", "hör nicht mehr auf deinen Namen", "rückgängig"),
    ],
)
async def test_the_wake_word_is_switched_on_and_off_by_voice(
    understanding: Understanding, language: Language, on: str, off: str, undo: str
) -> None:
    async with house(understanding) as home:
        person = home.enters("tablet")
        await person.ask(on, language)
        assert home.device.wake_words == ("okay_nabu",)
        await person.ask(off, language)
        assert not home.device.wake_words
        await person.ask(undo, language)
        assert home.device.wake_words == ("okay_nabu",)
        home.device.is_able = False
        assert await person.ask("listen for your name", "en") == "No wake words are installed here."
