"""How long the functions and files of appliance/ are."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "appliance").rglob("*.py"))
Sizes = list[tuple[int, str]]
"""(lines, where), the shortest first."""


def sizes() -> Mapping[str, Sizes]:
    """Of functions and of files."""
    files = [(file.read_text(encoding="utf-8").count("\n"), str(file.relative_to(ROOT))) for file in FILES]
    return {"functions": sorted(found for file in FILES for found in _functions(file)), "files": sorted(files)}


def summary() -> str:
    """One line for people: median, 99th percentile and the longest."""
    parts = []
    for what, found in sizes().items():
        median, p99 = (found[int(len(found) * part)][0] for part in (0.5, 0.99))
        parts.append(f"{len(found)} {what}, lines: median {median}, p99 {p99}, longest {found[-1][0]}")
    return "appliance/: " + "; ".join(parts)


def _functions(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.end_lineno - node.lineno + 1, f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
