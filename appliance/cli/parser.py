"""What `stimme` takes on the command line. A new command is added here and carried out in commands.py or beside it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import __version__
from appliance.config import settings
from appliance.language import LANGUAGES
from appliance.state.tokens import ROLES

if TYPE_CHECKING:
    Subcommands = argparse._SubParsersAction[argparse.ArgumentParser]


def parser() -> argparse.ArgumentParser:
    """All commands and their options; a setting's option has the setting's path as `dest`."""
    made = argparse.ArgumentParser(
        prog="stimme",
        description="A private voice assistant: hears, understands and answers without any cloud.",
        epilog="Exit codes: 0 all went well, 1 something failed, 2 wrong usage or settings, 3 a model is missing.",
    )
    made.add_argument("--version", action="version", version=f"stimme {__version__}")
    made.add_argument("--config", type=Path, metavar="FILE", help="settings file in TOML")
    made.add_argument("--verbose", action="store_true", help="log more (never what people say)")
    subcommands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_serving, _talking, _models, _paired, _skills, _looking_after):
        add(subcommands)
    return made


def _serving(subcommands: Subcommands) -> None:
    run = subcommands.add_parser("run", help="start the assistant; its page is at http://localhost:8080")
    _setting(run, "--host", "server.host", "ADDRESS")
    _setting(run, "--page-port", "server.page_port", "PORT")
    _setting(run, "--port", "server.port", "PORT")
    _setting(run, "--device", "device.enabled")
    _setting(run, "--lan", "server.lan")
    _setting(run, "--wyoming", "clients.wyoming")
    _setting(run, "--vosk", "clients.vosk")
    _setting(run, "--openai", "clients.openai")
    run.add_argument(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="so many web processes on the same ports, in a farm (STIMME_REDIS)",
    )
    run.add_argument("--fetch", action="store_true", help="fetch the better models in the background (network)")

    worker = subcommands.add_parser(
        "worker",
        help="hear and speak for web nodes elsewhere, over the Redis that STIMME_REDIS names",
        description="Takes what people say to web nodes from Redis, hears it and speaks the replies (docs/farm.md). "
        "SIGTERM finishes what was taken; a worker that is killed is replaced by the others within a second.",
    )
    worker.add_argument("--hear", metavar="LANGUAGES", help="hear only these: en, de, or both with a comma (all)")
    worker.add_argument("--speak", metavar="LANGUAGES", help="speak only these (all)")
    _setting(worker, "--threads", "streaming.stt_workers", "N")


def _talking(subcommands: Subcommands) -> None:
    ask = subcommands.add_parser("ask", help="ask by text and read the reply")
    ask.add_argument("text", nargs="+", help="what you would say")
    ask.add_argument("--speak", action="store_true", help="speak the reply too")
    ask.add_argument("--json", action="store_true", help="one JSON object: text, intent, slots, understood, times")

    say = subcommands.add_parser("say", help="speak a text")
    say.add_argument("text", nargs="+", help="what to say")
    say.add_argument("--output", type=Path, metavar="FILE", help="write a WAV file instead of playing")
    say.add_argument("--rate", type=_rate, default=22_050, metavar="HZ", help="sample rate of the file (22050)")

    hear = subcommands.add_parser(
        "hear",
        help="recognize speech in WAV files",
        description="Recognize speech in WAV files of any rate, mono or stereo. Partial transcripts come with the "
        "position in the recording, the final one with the time it took after the last sample.",
    )
    hear.add_argument("files", nargs="+", metavar="FILE.wav")
    hear.add_argument("--json", action="store_true", help="one JSON object a line and file: file, text, words, times")

    record = subcommands.add_parser(
        "record-test",
        help="read thirty commands aloud and see how well you are heard",
        description="Read thirty commands into this machine's microphone. The recordings stay on this disk, readable "
        "by you alone, and are sent nowhere; afterwards Stimme says how many words it heard wrong.",
    )
    record.add_argument("--sentences", type=int, default=30, metavar="N", help="read only the first N")
    record.add_argument("--again", action="store_true", help="hear the kept recordings once more; record nothing")
    record.add_argument("--directory", type=Path, help="where recordings are kept (recordings/LANGUAGE of the state)")

    for command in (ask, say, hear, record):
        command.add_argument("--language", choices=LANGUAGES, help="en or de (the device's language)")


def _models(subcommands: Subcommands) -> None:
    models = subcommands.add_parser("models", help="recognizers and voices: list, fetch, where they are")
    actions = models.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="which there are, and which are in use")
    listing.add_argument("--json", action="store_true")
    fetch = actions.add_parser("fetch", help="fetch by name; checksums are verified")
    fetch.add_argument("names", nargs="+", metavar="NAME")
    prepare = actions.add_parser(
        "prepare",
        help="unpack recognizers and make voices ready, so that a read-only system starts at once",
        description="Unpack the recognizers that come with Stimme and make every voice in use ready to speak, in a "
        "directory that is only read afterwards: the one that Stimme looks into by itself, or the models' directory.",
    )
    prepare.add_argument("directory", nargs="?", type=Path, help="share/stimme/models beside the Python that runs")
    path = actions.add_parser("path", help="where models are kept, or where one is")
    path.add_argument("name", nargs="?")


def _paired(subcommands: Subcommands) -> None:
    paired = subcommands.add_parser("paired", help="who may come in from the network: list, add, revoke, a code")
    actions = paired.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="browsers and programs that were paired")
    listing.add_argument("--json", action="store_true")
    actions.add_parser("code", help="a code for a new browser, valid for two minutes")
    add = actions.add_parser("add", help="a token for a program, to be sent as Authorization: Bearer")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", choices=ROLES, default="talk", help="what it may do (talk)")
    revoke = actions.add_parser("revoke", help="forget a browser or program; its connections end at once")
    revoke.add_argument("which", metavar="NAME_OR_ID")


def _skills(subcommands: Subcommands) -> None:
    skills = subcommands.add_parser("skills", help="skills of your own: list, check (docs/skills.md)")
    actions = skills.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="which there are, and what is wrong with them")
    listing.add_argument("--json", action="store_true")
    checking = actions.add_parser(
        "check",
        help="read files, run the tests in them, and tell conflicts with what is understood already",
        description="Exit code 1 if a file has mistakes or a test in it fails. Nothing is called or started.",
    )
    checking.add_argument("files", nargs="*", type=Path, metavar="FILE.yaml", help="all of the skills' directory")


def _looking_after(subcommands: Subcommands) -> None:
    """What one asks of the machine itself."""
    check = subcommands.add_parser("check", help="what is in force, from where, and what this machine can do")
    check.add_argument("--audio", action="store_true", help="play a chirp, listen, and say what is wrong")
    check.add_argument("--capacity", action="store_true", help="measure how many people it can hear and speak to")
    check.add_argument("--security", action="store_true", help="what is open to whom, and what to do about it")
    check.add_argument("--json", action="store_true")

    update = subcommands.add_parser(
        "update",
        help="on the appliance: install a newer, signed release of Stimme",
        description="Exit codes besides the usual: 4 with --check when there is a newer release.",
    )
    update.add_argument("source", nargs="?", default="", help="a release's .json, or an address with latest.json")
    update.add_argument("--check", action="store_true", help="only say whether there is a newer one")
    update.add_argument("--settle", action="store_true", help=argparse.SUPPRESS)  # after a power cut
    update.add_argument("--scheduled", action="store_true", help=argparse.SUPPRESS)  # by the nightly timer

    devices = subcommands.add_parser("devices", help="microphones and loudspeakers, and what is wrong with each")
    devices.add_argument("--json", action="store_true")


def _setting(command: argparse.ArgumentParser, option: str, path: str, metavar: str = "") -> None:
    """An option for a setting, explained as `stimme check` explains it. metavar: what is given; "" switches it on."""
    setting = dict(settings())[path]
    default, help = setting.default, setting.metadata["help"].replace("%", "%%")
    if default is False:
        command.add_argument(option, dest=path, action="store_true", default=None, help=help)
    else:
        command.add_argument(option, dest=path, type=type(default), metavar=metavar, help=f"{help} ({default})")


def _rate(text: str) -> int:
    from appliance.limits import REPLY_RATES  # here, so that --help does not load NumPy

    lowest, highest = REPLY_RATES
    if not text.isdecimal() or not lowest <= int(text) <= highest:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of Hz from {lowest} to {highest}")
    return int(text)
