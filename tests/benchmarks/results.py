"""Where benchmark results go, and what is said about the machine they come from."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parents[2] / "bench" / "results"


def machine() -> dict[str, Any]:
    """Processor, kernel and the versions that matter."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith(("model name", "Model"))), platform.machine())
    packages = ("vosk", "piper-tts", "onnxruntime", "websockets", "uvloop", "numpy", "soxr", "hassil")
    return {
        "processor": model, "cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2), "versions": {name: version(name) for name in packages}}


def percentiles(values: Sequence[float], digits: int = 1) -> dict[str, float]:
    """{p50, p95, max, n} of a row of figures."""
    if not values:
        return {"p50": float("nan"), "p95": float("nan"), "max": float("nan"), "n": 0}
    p50, p95, most = np.percentile(np.asarray(values), [50, 95, 100])
    return {"p50": round(float(p50), digits), "p95": round(float(p95), digits), "max": round(float(most), digits),
            "n": len(values)}


def save(name: str, figures: Mapping[str, Any]) -> Path:
    """Write bench/results/NAME.json; returns its path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
