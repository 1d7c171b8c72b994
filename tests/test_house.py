"""The house stays easy to read: small functions and files, and no place but their own that asks for a language."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from appliance.language import LANGUAGES
from tests.support.sizes import FILES, ROOT, sizes

LONGEST = {"functions": 100, "files": 500}
"""Lines; the median function has six, the median file some eighty."""


@pytest.mark.parametrize("what", LONGEST)
def test_nothing_is_longer_than_one_reads_at_a_time(what: str) -> None:
    assert [found for found in sizes()[what] if found[0] > LONGEST[what]] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_nothing_compares_a_languages_name(file: Path) -> None:
    """What differs by language stands behind dialogue/languages and speaking/languages, or in a table by code."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Compare():
                operands = [node.left, *node.comparators]
            case ast.MatchValue():
                operands = [node.value]
            case _:
                continue
        named = [part for part in operands if isinstance(part, ast.Constant) and part.value in LANGUAGES]
        assert not named, f"{file.relative_to(ROOT)}:{node.lineno} compares with a language's name"
