"""The device in the owner's MQTT broker: the part of the composition root that concerns it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from appliance import turns
from appliance.config import ClientsConfig
from appliance.device.local import LocalDevice
from appliance.mqtt.broker import Broker, parse
from appliance.mqtt.discovery import announcement, base
from appliance.mqtt.mirror import Commands, Mirror, everything
from appliance.state.feed import follow
from appliance.state.stores import Stores

Run = Callable[..., Awaitable[Any]]


class Mirroring:
    """name: the device's on its network (stimme-….local). run: for the disk, in `tasks`. Raises ConfigError."""

    def __init__(
        self,
        config: ClientsConfig,
        name: str,
        device: LocalDevice | None,
        stores: Stores,
        run: Run,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._device, self._stores, self._run, self._tasks = device, stores, run, tasks
        id = name.removesuffix(".local")
        self._mirror = Mirror(lambda topic, value: self._broker.publish(topic, value), config.mqtt_words)
        commands = Commands(
            self._stop,
            device.set_volume if device is not None else None,
            device.set_muted if device is not None else None,
        )
        self._broker = Broker(
            parse(config.mqtt),
            id,
            announcement(id, has_device=device is not None, tells_words=config.mqtt_words),
            lambda: everything(base(id), self._mirror.values),
            commands.carry_out,
            prefix=config.mqtt_prefix,
            authority=config.mqtt_authority,
        )

    def event(self, event: turns.Event) -> None:
        """Something happened in anybody's turn."""
        self._mirror.event(event)

    async def run(self) -> None:
        """Until cancelled."""
        if self._device is not None:
            self._device.changed = self._changed
            self._changed()
        timers = self._stores.timers
        end = follow(timers.database, timers.pending, self._mirror.timers)
        try:
            await self._broker.run()
        finally:
            end()

    def _changed(self) -> None:
        if self._device is not None:
            self._mirror.device(self._device.volume, self._device.muted)

    def _stop(self) -> None:
        """Silence: what rings, here and at the pages, and what the device is saying."""
        if self._device is not None and not self._device.stop_ringing():
            self._device.session.interrupt()
        ids = [timer.id for timer in self._stores.timers.unheard()]
        if ids:
            self._tasks.create_task(self._heard(ids))

    async def _heard(self, ids: list[int]) -> None:
        await self._run(partial(self._stores.timers.heard, *ids))
