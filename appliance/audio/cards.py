"""Keeps the microphone and the loudspeaker open: finds them again when they were unplugged, closes them for a mute.

AudioDeviceError is caught here and nowhere else: reported once, then tried again with back-off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from appliance.audio.loudspeaker import Loudspeaker, open_loudspeaker
from appliance.audio.microphone import Microphone, open_microphone
from appliance.audio.portaudio import rescan
from appliance.audio.selection import Direction
from appliance.audio.stats import StreamStats
from appliance.config import DeviceConfig
from appliance.errors import AudioDeviceError

log = logging.getLogger(__name__)

RETRY_FIRST_S, RETRY_MOST_S = 0.5, 8.0
"""A missing device is looked for after the first, then ever more rarely up to the second."""

STALL_S = 3.0
"""A microphone that hands on nothing for so long is gone, whatever its driver says."""


class Sound:
    """The open microphone and loudspeaker; each is None while there is none. Belongs to one event loop.

    on_change: called after either changed. on_news: called once when one is missing (with the reason) and once when
    it is back (None); not for a mute.
    """

    def __init__(
        self,
        config: DeviceConfig,
        on_change: Callable[[], None],
        on_news: Callable[[Direction, AudioDeviceError | None], None],
        *,
        muted: bool,
    ) -> None:
        self.microphone: Microphone | None = None
        self.loudspeaker: Loudspeaker | None = None
        self._config, self._on_change, self._on_news = config, on_change, on_news
        self._muted = muted
        self._trouble = asyncio.Event()
        self._errors: dict[Direction, AudioDeviceError] = {}
        self._reported: set[Direction] = set()
        self._dead: list[Microphone | Loudspeaker] = []
        self._thread = ThreadPoolExecutor(1, "audio")  # PortAudio's opening and closing, one at a time

    @property
    def stats(self) -> dict[Direction, StreamStats]:
        """What has been counted of each direction that is open."""
        streams: dict[Direction, Microphone | Loudspeaker | None] = {
            "microphone": self.microphone,
            "loudspeaker": self.loudspeaker,
        }
        return {direction: stream.stats for direction, stream in streams.items() if stream is not None}

    @property
    def muted(self) -> bool:
        return self._muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        """Muting stops capture and wipes what the microphone had kept."""
        self._muted = muted
        if muted:
            self._drop("microphone")
        self._trouble.set()

    async def keep_open(self) -> None:
        """Runs until cancelled; closes both then."""
        retry_s = RETRY_FIRST_S
        try:
            while True:
                self._trouble.clear()
                await self._bury()
                await self._mend()
                self._report()
                retry_s = RETRY_FIRST_S if self._is_complete else min(2 * retry_s, RETRY_MOST_S)
                await self._watch(STALL_S if self._is_complete else retry_s)
        finally:
            self._drop("microphone")
            self._drop("loudspeaker")
            self._thread.submit(self._close_all)  # and what was being opened just now
            self._thread.shutdown()

    @property
    def _is_complete(self) -> bool:
        return self.loudspeaker is not None and (self._muted or self.microphone is not None)

    @property
    def _is_in_use(self) -> bool:
        speaks = self.loudspeaker is not None and self.loudspeaker.is_heard
        return speaks or (self.microphone is not None and self.microphone.capture.armed)

    async def _mend(self) -> None:
        """Open what is missing. Looking for new devices closes all streams, so it waits until nobody would notice."""
        if self._is_complete:
            return
        await self._open_missing()
        if not self._is_complete and not self._is_in_use:
            self._drop("microphone")
            self._drop("loudspeaker")
            await self._bury()
            await self._run(_rescan_if_possible)
            await self._open_missing()
        self._on_change()

    async def _open_missing(self) -> None:
        loop, config = asyncio.get_running_loop(), self._config

        def on_end(direction: Direction) -> Callable[[], None]:
            return lambda: _call_soon(loop, self._lost, direction)

        def loudspeaker() -> None:
            self.loudspeaker = open_loudspeaker(config.loudspeaker, on_end("loudspeaker"))

        def microphone() -> None:
            self.microphone = open_microphone(config.microphone, config.channel, on_end("microphone"))

        if self.loudspeaker is None:
            await self._try("loudspeaker", loudspeaker)
        if self.microphone is None and not self._muted:
            await self._try("microphone", microphone)
        if self._muted:
            self._drop("microphone")  # muted while it was being opened

    async def _try(self, direction: Direction, opened: Callable[[], None]) -> None:
        try:
            await self._run(opened)
        except AudioDeviceError as error:
            self._errors.setdefault(direction, error)

    def _lost(self, direction: Direction) -> None:
        """PortAudio ended a stream by itself."""
        self._errors[direction] = AudioDeviceError(f"the {direction} was unplugged or failed")
        self._drop(direction)
        self._trouble.set()

    def _drop(self, direction: Direction) -> None:
        """Use it no more; it is closed soon, in the thread."""
        gone = self.microphone if direction == "microphone" else self.loudspeaker
        if gone is None:
            return
        self._dead.append(gone)
        if direction == "microphone":
            self.microphone = None
        else:
            self.loudspeaker = None
        self._on_change()

    async def _bury(self) -> None:
        if self._dead:
            await self._run(self._close_dead)

    def _close_dead(self) -> None:
        while self._dead:
            self._dead.pop().close()

    def _close_all(self) -> None:
        self._close_dead()
        for stream in (self.microphone, self.loudspeaker):
            if stream is not None:
                stream.close()

    async def _watch(self, timeout_s: float) -> None:
        """Until there is trouble, or time to look again."""
        microphone = self.microphone
        blocks = microphone.capture.blocks if microphone is not None else 0
        try:
            async with asyncio.timeout(timeout_s):
                await self._trouble.wait()
        except TimeoutError:
            if microphone is not None and timeout_s >= STALL_S and microphone.capture.blocks == blocks:
                self._lost("microphone")

    def _report(self) -> None:
        directions: tuple[Direction, ...] = ("loudspeaker", "microphone")
        for direction in directions:
            is_missing = getattr(self, direction) is None and not (direction == "microphone" and self._muted)
            if is_missing and direction not in self._reported:
                self._reported.add(direction)
                self._on_news(direction, self._errors.pop(direction))
            elif not is_missing:
                self._errors.pop(direction, None)
                if direction in self._reported:
                    self._reported.discard(direction)
                    self._on_news(direction, None)

    async def _run(self, function: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, function)


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[[Direction], None], direction: Direction) -> None:
    """From the audio thread, which may outlive the loop by a moment."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(function, direction)


def _rescan_if_possible() -> None:
    try:
        rescan()
    except AudioDeviceError as error:
        log.debug("no rescan: %s", error)  # opening reports the same
