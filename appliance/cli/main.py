"""The `stimme` command: run · worker · ask · say · hear · record-test · devices · models · paired · skills · check.

Exit codes: 0 all went well · 1 something failed · 2 wrong usage or settings · 3 a model is missing or damaged.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import io
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from appliance import __version__
from appliance.config import load
from appliance.errors import ConfigError, ModelError, StimmeError
from appliance.language import LANGUAGES
from appliance.state.tokens import ROLES

SERVICES = ("run", "worker")
"""Commands that run until they are stopped, and say what they do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO if options.command in SERVICES else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s" if options.verbose else "%(message)s", stream=sys.stderr)
    logging.getLogger("websockets").setLevel(logging.WARNING)  # it reports every connection twice
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be UTF-8; valid in JSON too
    try:
        return _carry_out(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1  # whoever read our output has left
    except StimmeError as error:
        return _complain(error, _code(error))
    except OSError as error:
        if error.filename is None and error.errno != errno.ENOSPC:
            raise  # no file of the user's: a bug
        logging.debug("in full:", exc_info=True)
        return _complain(f"{error.filename or 'output'}: {error.strerror}", 1)
    except BaseExceptionGroup as group:  # from the task groups in which models are loaded and ports are opened
        ours, bugs = group.split(StimmeError)
        if ours is None or bugs is not None:
            raise
        return _complain(_first(ours), _code(_first(ours)))


def _carry_out(options: argparse.Namespace) -> int:
    config = load(options.config, overrides=_overrides(options))
    if options.command == "paired":
        from appliance.cli.paired import paired  # without models and sound

        return paired(config, options)
    if options.command == "skills":
        from appliance.cli.skills import skills

        return skills(config, options)
    if options.command == "check" and options.security:
        from appliance.cli.security import check_security

        return check_security(config, as_json=options.json)
    if options.command == "run":
        from appliance.app import run

        run(config, fetching=options.fetch)
        return 0
    if options.command == "worker":
        from appliance.cli.worker import worker

        return worker(config, options)
    if options.command == "update":
        from appliance.system.commands import run as update

        if options.scheduled and not config.update.automatic:
            return 0
        return update(options.source or config.update.url, check=options.check, settle=options.settle,
                      scheduled=options.scheduled)
    from appliance.cli import commands  # here, so that --help does not load models' libraries

    result = getattr(commands, options.command.replace("-", "_"))(config, options)
    return int(asyncio.run(result) if asyncio.iscoroutine(result) else result)


def _overrides(options: argparse.Namespace) -> dict[str, object]:
    """Settings given as options; their `dest` is the setting's path."""
    return {path: value for path, value in vars(options).items() if path in _PATHS and value is not None}


_PATHS = ("language", "server.host", "server.page_port", "server.port", "server.lan", "device.enabled",
          "clients.wyoming", "clients.vosk", "clients.openai", "streaming.stt_workers")


def _complain(error: BaseException | str, code: int) -> int:
    print(f"stimme: {error}", file=sys.stderr)
    return code


def _code(error: BaseException) -> int:
    return 2 if isinstance(error, ConfigError) else 3 if isinstance(error, ModelError) else 1


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stimme", description="A private voice assistant: hears, understands and answers without any cloud.",
        epilog="Exit codes: 0 all went well, 1 something failed, 2 wrong usage or settings, 3 a model is missing.")
    parser.add_argument("--version", action="version", version=f"stimme {__version__}")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file in TOML")
    parser.add_argument("--verbose", action="store_true", help="log more (never what people say)")
    subcommands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = subcommands.add_parser("run", help="start the assistant; its page is at http://localhost:8080")
    run.add_argument(
        "--host", dest="server.host", metavar="ADDRESS", help="address to listen on; 0.0.0.0 opens it to the network")
    run.add_argument("--page-port", dest="server.page_port", type=int, metavar="PORT", help="port of the page (8080)")
    run.add_argument("--port", dest="server.port", type=int, metavar="PORT", help="port of the plain WebSocket (8123)")
    run.add_argument(
        "--device", dest="device.enabled", action="store_true", default=None,
        help="also listen at this machine's microphone and button")
    run.add_argument(
        "--lan", dest="server.lan", action="store_true", default=None,
        help="open the page to the network: over HTTPS, to browsers that were paired")
    run.add_argument(
        "--wyoming", dest="clients.wyoming", action="store_true", default=None,
        help="hear, speak and answer for Home Assistant, by Wyoming on port 10300")
    run.add_argument(
        "--vosk", dest="clients.vosk", action="store_true", default=None,
        help="hear for programs that know vosk-server's WebSocket, on port 2700")
    run.add_argument(
        "--openai", dest="clients.openai", action="store_true", default=None,
        help="hear and speak at the page's port, at /v1/audio/… as OpenAI's API has it")
    run.add_argument("--fetch", action="store_true", help="fetch the better models in the background (network)")

    worker = subcommands.add_parser(
        "worker", help="hear and speak for web nodes elsewhere, over the Redis that STIMME_REDIS names",
        description="Takes what people say to web nodes from Redis, hears it and speaks the replies (docs/farm.md). "
        "SIGTERM finishes what was taken; a worker that is killed is replaced by the others within a second.")
    worker.add_argument("--hear", metavar="LANGUAGES", help="hear only these: en, de, or both with a comma (all)")
    worker.add_argument("--speak", metavar="LANGUAGES", help="speak only these (all)")
    worker.add_argument(
        "--threads", dest="streaming.stt_workers", type=int, metavar="N", help="threads that recognize speech (cores)")

    ask = subcommands.add_parser("ask", help="ask by text and read the reply")
    ask.add_argument("text", nargs="+", help="what you would say")
    ask.add_argument("--speak", action="store_true", help="speak the reply too")
    ask.add_argument("--json", action="store_true", help="one JSON object: text, intent, slots, understood, times")

    say = subcommands.add_parser("say", help="speak a text")
    say.add_argument("text", nargs="+", help="what to say")
    say.add_argument("--output", type=Path, metavar="FILE", help="write a WAV file instead of playing")
    say.add_argument("--rate", type=_rate, default=22_050, metavar="HZ", help="sample rate of the file (22050)")

    hear = subcommands.add_parser(
        "hear", help="recognize speech in WAV files",
        description="Recognize speech in WAV files of any rate, mono or stereo. Partial transcripts come with the "
        "position in the recording, the final one with the time it took after the last sample.")
    hear.add_argument("files", nargs="+", metavar="FILE.wav")
    hear.add_argument("--json", action="store_true", help="one JSON object a line and file: file, text, words, times")

    record = subcommands.add_parser(
        "record-test", help="read thirty commands aloud and see how well you are heard",
        description="Read thirty commands into this machine's microphone. The recordings stay on this disk, readable "
        "by you alone, and are sent nowhere; afterwards Stimme says how many words it heard wrong.")
    record.add_argument("--sentences", type=int, default=30, metavar="N", help="read only the first N")
    record.add_argument("--again", action="store_true", help="hear the kept recordings once more; record nothing")
    record.add_argument("--directory", type=Path, help="where recordings are kept (recordings/LANGUAGE of the state)")

    for command in (ask, say, hear, record):
        command.add_argument("--language", choices=LANGUAGES, help="en or de (the device's language)")

    models = subcommands.add_parser("models", help="recognizers and voices: list, fetch, where they are")
    actions = models.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="which there are, and which are in use")
    listing.add_argument("--json", action="store_true")
    fetch = actions.add_parser("fetch", help="fetch by name; checksums are verified")
    fetch.add_argument("names", nargs="+", metavar="NAME")
    prepare = actions.add_parser(
        "prepare", help="unpack recognizers and make voices ready, so that a read-only system starts at once",
        description="Unpack the recognizers that come with Stimme and make every voice in use ready to speak, in a "
        "directory that is only read afterwards: the one that Stimme looks into by itself, or the models' directory.")
    prepare.add_argument("directory", nargs="?", type=Path, help="share/stimme/models beside the Python that runs")
    path = actions.add_parser("path", help="where models are kept, or where one is")
    path.add_argument("name", nargs="?")

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

    skills = subcommands.add_parser("skills", help="skills of your own: list, check (docs/skills.md)")
    actions = skills.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="which there are, and what is wrong with them")
    listing.add_argument("--json", action="store_true")
    checking = actions.add_parser(
        "check", help="read files, run the tests in them, and tell conflicts with what is understood already",
        description="Exit code 1 if a file has mistakes or a test in it fails. Nothing is called or started.")
    checking.add_argument("files", nargs="*", type=Path, metavar="FILE.yaml", help="all of the skills' directory")

    check = subcommands.add_parser("check", help="what is in force, from where, and what this machine can do")
    check.add_argument("--audio", action="store_true", help="play a chirp, listen, and say what is wrong")
    check.add_argument("--capacity", action="store_true", help="measure how many people it can hear and speak to")
    check.add_argument("--security", action="store_true", help="what is open to whom, and what to do about it")
    check.add_argument("--json", action="store_true")

    update = subcommands.add_parser(
        "update", help="on the appliance: install a newer, signed release of Stimme",
        description="Exit codes besides the usual: 4 with --check when there is a newer release.")
    update.add_argument("source", nargs="?", default="", help="a release's .json, or an address with latest.json")
    update.add_argument("--check", action="store_true", help="only say whether there is a newer one")
    update.add_argument("--settle", action="store_true", help=argparse.SUPPRESS)  # after a power cut
    update.add_argument("--scheduled", action="store_true", help=argparse.SUPPRESS)  # by the nightly timer

    devices = subcommands.add_parser("devices", help="microphones and loudspeakers, and what is wrong with each")
    devices.add_argument("--json", action="store_true")
    return parser


def _rate(text: str) -> int:
    from appliance.limits import REPLY_RATES  # here, so that --help does not load NumPy

    lowest, highest = REPLY_RATES
    if not text.isdecimal() or not lowest <= int(text) <= highest:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of Hz from {lowest} to {highest}")
    return int(text)
