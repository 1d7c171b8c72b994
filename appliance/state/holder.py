"""One assistant a state directory: two would both ring every timer."""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path

from appliance.errors import ConfigError

log = logging.getLogger(__name__)

FILE = "stimme.lock"


class Holder:
    """Holds a directory until closed or until the process ends, however it ends (flock(2))."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._descriptor: int | None = None

    def hold(self) -> None:
        """Take the directory, anew if it was removed meanwhile. Raises ConfigError if another process has it.

        A disk that cannot be written is no reason: then nobody is kept out.
        """
        self.release()
        file = self._directory / FILE
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            log.debug("%s: %s", file, error)
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise ConfigError(
                f"{self._directory} is in use by process {pid or '(unknown)'}. Is Stimme running already? Stop it, or "
                "choose another directory with STIMME_STATE"
            ) from None
        except OSError as error:
            log.debug("%s cannot be locked: %s", file, error)
        self._descriptor = descriptor
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:  # a full disk: it is held all the same, only without a name
            log.debug("%s: %s", file, error)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def holding_process(directory: Path) -> int | None:
    """The process that holds a directory; None if none does."""
    try:
        with (directory / FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            return int((directory / FILE).read_text())
        except ValueError:
            return None
    except OSError:
        return None
    return None
