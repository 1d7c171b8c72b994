"""Fixtures that more than one folder of tests needs: the loaded recognizer and voices, speech, the virtual sound card.

Models belong to one event loop, so every asynchronous test of the folders that share them runs on the session's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import settings

from appliance.audio.portaudio import rescan
from appliance.hearing.pool import RecognizerPool
from appliance.models.choose import find_recognizer
from appliance.speaking.synthesizer import Synthesizer
from appliance.workers import Workers
from tests.support import lanes, sizes
from tests.support.kit import sentences, synthesizer_paths
from tests.support.sound_card import SoundCard, sound_card
from tests.support.speech import spoken

settings.register_profile("stimme", deadline=None)  # how long an example takes depends on the machine
settings.load_profile("stimme")

ON_ONE_LOOP = {"hearing", "speaking"}

WHOLE_PLACES = (
    "cli/test_capacity.py",
    "cli/test_hear.py",
    "cli/test_main.py",
    "cli/test_prepare.py",
    "device/test_busy.py",
    "farm/test_deaths.py",
    "farm/test_link.py",
    "faults/",
    "hearing/",
    "image/",
    "models/",
    "native/test_portaudio.py",
    "native/test_proofs.py",
    "native/test_sanitized.py",
    "native/test_stubs.py",
    "native/test_vits_proofs.py",
    "server/test_hostile.py",
    "server/test_load.py",
    "server/test_shutdown.py",
    "soak/",
    "speaking/",
    "test_privacy.py",
    "test_whole_path.py",
    "web/",
)
WHOLE_FIXTURES = {"assistant", "card", "person", "pool", "redis", "server", "speech", "synthesizer"}
"""Tests in these places or with these need a browser, a sound card, another process, a compiler or a loaded model, and
are left out of `make test-quick`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in ON_ONE_LOOP and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.path.relative_to(here).as_posix().startswith(WHOLE_PLACES) or fixtures & WHOLE_FIXTURES:
            item.add_marker(pytest.mark.whole)
    items.sort(key=lambda item: (not lanes.is_live(item.nodeid), item.get_closest_marker("whole") is None))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    return lanes.scheduler(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    lanes.give_way(item)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.args == config.getini("testpaths"):
        terminalreporter.write_line(sizes.summary())


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the embedded English recognizer."""
    choice = find_recognizer("en", tmp_path_factory.mktemp("models"))
    assert choice is not None
    return choice.path


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
    """The embedded voices, on one thread."""
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


@pytest.fixture(autouse=True)
def nothing_blocks_the_event_loop(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Under `make test-debug`: fail where asyncio reports a callback of over 0.1 s (slow_callback_duration)."""
    yield
    slow = [
        text
        for record in caplog.records
        if record.name == "asyncio" and (text := record.getMessage()).startswith("Executing ")
    ]
    assert not slow, f"the event loop was blocked: {slow[0]}"
