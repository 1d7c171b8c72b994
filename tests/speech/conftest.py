"""The loaded recognizer and voices that the tests of this folder share, and speech to recognize.

They belong to one event loop, the session's, so every asynchronous test of this folder runs on it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from appliance.speech.models import unpack_embedded
from appliance.speech.recognition import RecognizerPool
from appliance.speech.synthesis import Synthesizer
from appliance.speech.workers import Workers
from tests.speech.kit import sentences, synthesizer_paths
from tests.support.speech import spoken


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded recognizer's directory."""
    return unpack_embedded(tmp_path_factory.mktemp("models"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(model: Path) -> AsyncIterator[RecognizerPool]:
    """The embedded recognizer, four at once, on two threads."""
    workers = Workers(2, "test-hear")
    pool = RecognizerPool({"en": model}, workers, limit=4)
    await pool.open()
    yield pool
    workers.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def synthesizer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Synthesizer]:
    """The embedded English voice and espeak-ng's German one, on one thread."""
    workers = Workers(1, "test-speak")
    synthesizer = Synthesizer(synthesizer_paths(), workers, tmp_path_factory.mktemp("cuts"))
    await synthesizer.open()
    yield synthesizer
    workers.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def speech() -> dict[str, bytes]:
    """Sixty English commands as a voice speaks them, with silence around: words → s16le at 16 kHz."""
    words = sentences()
    return dict(zip(words, await spoken(words), strict=True))
