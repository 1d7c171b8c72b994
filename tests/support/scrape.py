"""A server's /metrics as numbers."""

from __future__ import annotations

import urllib.request

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, str], float]


def scrape(port: int) -> Samples:
    """(name, its labels' values joined by commas) → value; ("voice_loop_lateness_seconds_bucket", "0.005") → 93.0."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def buckets(samples: Samples, name: str, since: Samples | None = None) -> dict[float, float]:
    """A histogram without labels, or what was added to it: upper bound → how many were at most that."""
    return {
        float(bound): value - (since or {}).get((found, bound), 0.0)
        for (found, bound), value in samples.items()
        if found == f"{name}_bucket"
    }


def quantile(counts: dict[float, float], percent: float) -> float:
    """Interpolated inside its bucket, as Prometheus' histogram_quantile does; 0.0 of nothing."""
    wanted, below, low = max(counts.values(), default=0.0) * percent / 100, 0.0, 0.0
    for bound, count in sorted(counts.items()):
        if count >= wanted and count > below:
            high = low if bound == float("inf") else bound
            return low + (high - low) * (wanted - below) / (count - below)
        below, low = count, bound
    return 0.0
