"""`stimme update`: what the person at the device, or its nightly timer, asks for."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from pathlib import Path

from appliance.system import update
from appliance.system.release import UpdateError

LOCK = Path("/run/stimme-system/update.lock")


def run(source: str, *, check: bool, settle: bool, scheduled: bool) -> int:
    """Look for a release, install it, or settle one that a power cut left undecided. Returns the exit code.

    0: done, or nothing to do; 1: it did not work; 4: a newer release is there (only with check).
    """
    logging.getLogger(update.__name__).setLevel(logging.INFO)
    places, host = update.Places(), update.Host()
    if not source and not settle:
        if scheduled:
            return 0
        print(
            "stimme: no address for updates is set (update.url in stimme.toml); name a release's file or address",
            file=sys.stderr,
        )
        return 2
    try:
        if check:
            release = update.newest(source, places)
            newer = update.is_newer(release, places)
            print(
                f"{release.version} is there; {places.current or 'none'} is in use"
                if newer
                else f"{places.current} is in use; there is nothing newer"
            )
            return 4 if newer else 0
        if os.geteuid() != 0:
            raise UpdateError("updates change the device; run: sudo stimme update")
        LOCK.parent.mkdir(parents=True, exist_ok=True)
        with LOCK.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if settle:
                update.settle(places, host)
                return 0
            release = update.newest(source, places)
            if scheduled and not update.is_newer(release, places):
                return 0
            update.install(source, release, places, host)
            print(f"release {release.version} is in use")
    except BlockingIOError:
        print("stimme: another update is under way", file=sys.stderr)
        return 1
    except (UpdateError, OSError) as error:
        print(f"stimme: {error}", file=sys.stderr)
        return 1
    return 0
