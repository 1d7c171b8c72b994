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

from appliance.cli.parser import parser
from appliance.config import load
from appliance.errors import ConfigError, ModelError, StimmeError

SERVICES = ("run", "worker")
"""Commands that run until they are stopped, and say what they do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = parser().parse_args(arguments)
    options.arguments = sys.argv[1:] if arguments is None else arguments
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO if options.command in SERVICES else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s" if options.verbose else "%(message)s",
        stream=sys.stderr,
    )
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
        if options.processes != 1:
            from appliance.cli.processes import run_several

            return run_several(config, options.processes, options.arguments)
        from appliance.serving import run

        run(config, fetching=options.fetch)
        return 0
    if options.command == "worker":
        from appliance.cli.worker import worker

        return worker(config, options)
    if options.command == "update":
        from appliance.system.commands import run as update

        if options.scheduled and not config.update.automatic:
            return 0
        return update(
            options.source or config.update.url, check=options.check, settle=options.settle, scheduled=options.scheduled
        )
    from appliance.cli import commands  # here, so that --help does not load models' libraries

    result = getattr(commands, options.command.replace("-", "_"))(config, options)
    return int(asyncio.run(result) if asyncio.iscoroutine(result) else result)


def _overrides(options: argparse.Namespace) -> dict[str, object]:
    """Settings given as options; their `dest` is the setting's path."""
    return {path: value for path, value in vars(options).items() if path in _PATHS and value is not None}


_PATHS = (
    "language",
    "server.host",
    "server.page_port",
    "server.port",
    "server.lan",
    "device.enabled",
    "clients.wyoming",
    "clients.vosk",
    "clients.openai",
    "streaming.stt_workers",
)


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
