"""Where benchmark results go, and what is said about the machine they come from."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from appliance import __version__

RESULTS = Path(__file__).parents[2] / "bench" / "results"
HISTORY = RESULTS.parent / "history"
"""NAME/VERSION on PROCESSOR.json: the last result of each version on each kind of machine, for `make bench-compare`."""


def machine() -> dict[str, Any]:
    """Processor, kernel and the versions that matter."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith(("model name", "Model"))
        ),
        platform.machine(),
    )
    packages = ("vosk", "piper-tts", "onnxruntime", "websockets", "uvloop", "numpy", "soxr", "babel")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in packages},
    }


def percentiles(values: Sequence[float], digits: int = 1) -> dict[str, float]:
    """{p50, p95, max, n} of a row of figures."""
    if not values:
        return {"p50": float("nan"), "p95": float("nan"), "max": float("nan"), "n": 0}
    p50, p95, most = np.percentile(np.asarray(values), [50, 95, 100])
    return {
        "p50": round(float(p50), digits),
        "p95": round(float(p95), digits),
        "max": round(float(most), digits),
        "n": len(values),
    }


def save(name: str, figures: Mapping[str, Any]) -> Path:
    """Write bench/results/NAME.json, and a copy into the history; returns the former's path."""
    text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    kept = HISTORY / name / f"{__version__} on {_slug(str(machine()['processor']))}.json"
    for path in (RESULTS / f"{name}.json", kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return RESULTS / f"{name}.json"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-")[:40]
