"""How much of appliance/ the tests reach, from the report of `coverage json`; exit code 1 below the floors.

.venv/bin/python -m coverage json -q -o - | .venv/bin/python tools/coverage_floor.py
"""

from __future__ import annotations

import json
import sys

FLOORS = {"lines": 95.0, "branches": 90.0}
"""Percent."""


def reached(totals: dict[str, int]) -> dict[str, float]:
    """Percent of lines and of branches."""
    return {
        "lines": 100 * totals["covered_lines"] / max(1, totals["num_statements"]),
        "branches": 100 * totals["covered_branches"] / max(1, totals["num_branches"]),
    }


def main() -> int:
    found = reached(json.load(sys.stdin)["totals"])
    for what, percent in found.items():
        print(f"coverage of appliance/: {percent:.1f} % of {what}, floor {FLOORS[what]:g} %")  # noqa: T201
    return int(any(percent < FLOORS[what] for what, percent in found.items()))


if __name__ == "__main__":
    sys.exit(main())
