"""What owners' skills want done outside: a request to one of the owner's targets, or one of the owner's commands."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping

from appliance.dialogue.performers import Refused
from appliance.dialogue.types import Memory
from appliance.helpers.http import Away, asked
from appliance.helpers.targets import Target
from appliance.language import Language

log = logging.getLogger(__name__)

TIMEOUT_S = 8.0
MOST_OUTPUT_BYTES = 4096
_SLOT = re.compile(r"\{(\w+)\}")


class Outside:
    """The one way out for owners' skills. targets, commands: those that the settings name, and no others."""

    def __init__(
        self, targets: Mapping[str, Target], commands: Mapping[str, tuple[str, ...]], timeout_s: float = TIMEOUT_S
    ) -> None:
        self._targets, self._commands, self._timeout_s = targets, commands, timeout_s

    async def ask(self, question: str, language: Language, memory: Memory) -> str:
        """question: a JSON object with `call` or `command` (dialogue/owners/answering.py). Raises Refused."""
        wanted = json.loads(question)
        try:
            if "call" in wanted:
                return await self._call(wanted["call"])
            return await self._run(str(wanted["command"]), wanted.get("slots", {}))
        except Away as away:
            log.warning("an owner's skill: %s", away)
            if failed := wanted.get("failed"):
                raise Refused("helper.plainly", text=failed) from None
            raise Refused(f"helper.{away.kind}", name=_name(wanted)) from None

    async def _call(self, call: Mapping[str, object]) -> str:
        to = self._targets.get(str(call["target"]))
        if to is None:
            raise Refused("owners.no_target", name=call["target"])
        body = call.get("body")
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"} if content is not None else {}
        async with asked(
            to, str(call["method"]), str(call["path"]), body=content, headers=headers, timeout_s=self._timeout_s
        ) as answer:
            return await answer.text()

    async def _run(self, name: str, slots: Mapping[str, str]) -> str:
        """No shell; what was said is only ever a part of one argument, and never an option."""
        template = self._commands.get(name)
        if template is None:
            raise Refused("owners.no_command", name=name)
        words = [template[0], *(_SLOT.sub(lambda slot: slots.get(slot[1], ""), word) for word in template[1:])]
        if any(
            word.startswith("-") and not plain.startswith("-")
            for word, plain in zip(words[1:], template[1:], strict=True)
        ):
            raise Away("wrong", f"command {name}: what was said would be an option")
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": os.environ.get("LANG", "C.UTF-8")}
        try:
            process = await asyncio.create_subprocess_exec(
                *words, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=environment
            )
        except OSError as error:
            raise Away("wrong", f"command {name}: {error}") from error
        try:
            async with asyncio.timeout(self._timeout_s):
                said = await _output(process, name)
                code = await process.wait()
        except TimeoutError:
            raise Away("away", f"command {name} did not end within {self._timeout_s:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        if code:
            raise Away("wrong", f"command {name} ended with code {code}")
        return said.decode("utf-8", errors="replace")


async def _output(process: asyncio.subprocess.Process, name: str) -> bytes:
    assert process.stdout is not None, "it was asked for"
    said = b""
    while more := await process.stdout.read(MOST_OUTPUT_BYTES):
        said += more
        if len(said) > MOST_OUTPUT_BYTES:
            raise Away("wrong", f"command {name} prints more than {MOST_OUTPUT_BYTES} bytes")
    return said


def _name(wanted: Mapping[str, object]) -> str:
    call = wanted.get("call")
    return str(call["target"] if isinstance(call, dict) else wanted.get("command"))
