"""The German README says what the English one says: the same settings, commands, pages and figures' files."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENGLISH, GERMAN = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.de.md"))


def rows(text: str) -> list[str]:
    """The settings in the order of their table."""
    return re.findall(r"^\| (`[A-Z_]+`.*?) \|", text, re.MULTILINE)


def sections(text: str) -> list[tuple[int, int]]:
    """Of each its rows of tables and its blocks of commands."""
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return [(len(re.findall(r"^\|", part, re.MULTILINE)), part.count("```")) for part in parts]


def named(text: str) -> set[str]:
    """Files, pages, make targets and settings; not what is spelt differently in each language."""
    text = " ".join(text.split())  # wherever lines are broken
    found = set(re.findall(r"\]\((?!README)([^)]+)\)", text))
    return found | set(re.findall(r"`(make [a-z-]+|[A-Z_]+|[a-z-]+\.json|--[a-z-]+)`", text))


def test_both_have_the_same_settings_in_the_same_order() -> None:
    assert rows(GERMAN) == rows(ENGLISH)


def test_both_have_the_same_tables_and_commands_in_each_section() -> None:
    assert sections(GERMAN) == sections(ENGLISH)


def test_both_name_the_same_pages_files_and_commands() -> None:
    assert named(GERMAN) - {"docs/pictures/states-phone-light-de.png"} == named(ENGLISH) - {
        "docs/pictures/states-phone-dark-en.png"
    }
