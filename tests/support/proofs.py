"""What `make test-voice` has proved → bench/results/voice-proofs.json, each test its part. Short runs write nothing."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.benchmarks.results import RESULTS, machine

IS_LONG = bool(os.environ.get("STIMME_LONG"))
FILE = RESULTS / "voice-proofs.json"


def proved(name: str, figures: Any) -> None:
    """Write down what a test found under its name, beside what is there already."""
    if not IS_LONG:
        return
    found = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    found |= {"machine": machine(), name: figures}
    FILE.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
