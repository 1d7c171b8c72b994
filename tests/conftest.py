"""Fixtures that more than one folder of tests needs: the loaded recognizer and voices, speech, the virtual sound card.

Models belong to one event loop, so every asynchronous test of the folders that share them runs on the session's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from appliance.audio.portaudio import rescan
from appliance.hearing.pool import RecognizerPool
from appliance.models.choose import unpack_embedded
from appliance.speaking.synthesizer import Synthesizer
from appliance.workers import Workers
from tests.support.kit import sentences, synthesizer_paths
from tests.support.sound_card import SoundCard, sound_card
from tests.support.speech import spoken

ON_ONE_LOOP = {"hearing", "speaking"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in ON_ONE_LOOP and pytest_asyncio.is_async_test(item):
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


@pytest.fixture(scope="session")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundCard]:
    """A virtual sound card, as PortAudio sees it."""
    with sound_card(tmp_path_factory.mktemp("card")) as card:
        rescan()
        yield card
    rescan()
