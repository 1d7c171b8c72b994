"""Two benchmark results side by side: python -m tests.benchmarks.compare NAME [BEFORE [AFTER]]

BEFORE and AFTER are files; without them: the newest file of bench/history/NAME that is of another version, and
bench/results/NAME.json. Prints every figure that both have, with the ratio after / before. Figures of different
machines, or of a busy and an idle one, do not compare; the heads of both are printed so that this is seen.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance import __version__
from tests.benchmarks.results import HISTORY, RESULTS


def figures(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a result as ("speaking.first_sound_ms.p50", 77.0); the machine's own are left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "machine":
                yield from figures(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def rows(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, float, float]]:
    """(figure, before, after) of what both have, in the order of the second."""
    old = dict(figures(before))
    return [(name, old[name], new) for name, new in figures(after) if name in old]


def newest_of_another_version(name: str) -> Path | None:
    """The youngest file in the history whose version is not this one's."""
    kept = [path for path in (HISTORY / name).glob("*.json") if not path.name.startswith(f"{__version__} on ")]
    return max(kept, key=lambda path: path.stat().st_mtime, default=None)


def head(path: Path, result: dict[str, Any]) -> str:
    machine = result.get("machine", {})
    return (
        f"{path.name}: {machine.get('processor', '?')}, {machine.get('cores', '?')} cores, "
        f"Python {machine.get('python', '?')}, load before {machine.get('load_before', '?')}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", help="voice, server, device, native, …")
    parser.add_argument("before", nargs="?", type=Path)
    parser.add_argument("after", nargs="?", type=Path)
    options = parser.parse_args()
    before = options.before or newest_of_another_version(options.name)
    after = options.after or RESULTS / f"{options.name}.json"
    if before is None or not before.is_file() or not after.is_file():
        print(
            f"nothing to compare: {before or 'no earlier version in bench/history/' + options.name} and {after}",
            file=sys.stderr,
        )
        return 1
    results = [json.loads(path.read_text(encoding="utf-8")) for path in (before, after)]
    print(f"before  {head(before, results[0])}\nafter   {head(after, results[1])}\n")
    for name, old, new in rows(*results):
        ratio = f"{new / old:7.2f}×" if old else ""
        print(f"{name:60} {old:12g} {new:12g} {ratio}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
