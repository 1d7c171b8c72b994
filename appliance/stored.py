"""Where what is durable lives: a file on this machine, or, in a farm, the Redis that all share."""

from __future__ import annotations

from appliance.config import Config
from appliance.state.clock import Clock
from appliance.state.database import Database

STATE_FILE = "stimme.sqlite3"


def stored(config: Config, *, alone: bool = False) -> Database:
    """The database that the settings ask for. alone: see Database. Raises ConfigError."""
    if not config.farm.redis:
        return Database(config.state_path() / STATE_FILE, alone=alone)
    from appliance.farm.address import address
    from appliance.farm.database import SharedDatabase  # Redis' library is for farms only

    return SharedDatabase(address(config.farm))


def clock(config: Config) -> Clock:
    """What timers are measured by."""
    if not config.farm.redis:
        return Clock()
    from appliance.farm.database import SharedClock

    return SharedClock()
