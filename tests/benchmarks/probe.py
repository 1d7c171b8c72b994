"""The real server with one thing added: it writes down when the recognizer got which samples.

Started in place of `appliance` by the voice benchmark: `python -m tests.benchmarks.probe run`. Each line of
$PROBE_FILE is "seconds since 1970, samples of this utterance so far".
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from appliance.cli.main import main
from appliance.hearing.vosk import Recognizer


def record_decoding(path: str) -> None:
    """Log every call that hands samples to a recognizer, when it begins."""
    log = open(path, "a", buffering=1)  # for the life of the process
    decode = Recognizer.decode

    def recorded(self: Any, pcm: bytes, last: bool, wants_partial: bool) -> Any:
        log.write(f"{time.time():.6f} {self.samples + len(pcm) // 2}\n")
        return decode(self, pcm, last, wants_partial)

    Recognizer.decode = recorded  # type: ignore[method-assign]


if __name__ == "__main__":
    record_decoding(os.environ["PROBE_FILE"])
    sys.exit(main())
