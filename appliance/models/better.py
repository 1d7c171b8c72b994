"""Models that would be better than those in use, and fetching them beside the running assistant."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from appliance.language import LANGUAGES, Language
from appliance.models.catalogue import Kind, of
from appliance.models.choose import Choice

log = logging.getLogger(__name__)


def better_models(choices: Mapping[Kind, Mapping[Language, Choice]]) -> list[str]:
    """Catalogued models that would be chosen over those in use, if they were on disk."""
    names = []
    for kind, chosen in choices.items():
        for language in LANGUAGES:
            best = of(kind, language)[0]
            choice = chosen.get(language)
            if best.source and (choice is None or (choice.name != best.name and choice.why != "configured")):
                names.append(best.name)
    return names


async def fetch_beside(names: list[str], directory: Path) -> None:
    """Fetch models in a process of its own, which can be stopped at any moment and goes on the next time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "appliance",
        "models",
        "fetch",
        *names,
        stdout=asyncio.subprocess.DEVNULL,
        env=os.environ | {"STIMME_MODELS": str(directory)},
    )
    try:
        if await process.wait() == 0:
            log.info("fetched %s; used from the next start on", ", ".join(names))
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
