"""All skills of the owner as they are at one moment, and the folder they are read from, again when it changes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from appliance.dialogue.owners.matching import Match, Matcher
from appliance.dialogue.owners.skill_file import OwnersSkill, Problem, Protects, read_skill
from appliance.dialogue.reading.normalisation import MAX_CHARACTERS, normalise
from appliance.language import LANGUAGES, Language

log = logging.getLogger(__name__)

MOST_WORDS = 40
SUFFIX = ".yaml"

Read = tuple[OwnersSkill | None, tuple[Problem, ...]]


class Registry:
    """Immutable; any thread may ask."""

    def __init__(self, skills: Iterable[OwnersSkill] = (), problems: Iterable[Problem] = ()) -> None:
        self.skills = {skill.name: skill for skill in skills}
        self._matchers = {language: Matcher(language) for language in LANGUAGES}
        conflicts = [
            problem
            for skill in self.skills.values()
            for matcher in self._matchers.values()
            for problem in matcher.add(skill)
        ]
        self.problems = (*problems, *conflicts)

    def match(self, text: str, language: Language) -> Match | None:
        """The owner's sentence that this is; None if it is none."""
        if not self.skills or len(text) > MAX_CHARACTERS:
            return None
        words = tuple(normalise(text, language).split())
        return self._matchers[language].match(words) if 0 < len(words) <= MOST_WORDS else None


class Folder:
    """Reads what has changed in a directory. A file with mistakes leaves what was read of it before in force.

    protects: which words are ours (skill_file.Protects). told: called with each new problem.
    """

    def __init__(
        self,
        directory: Path,
        protects: Protects,
        told: Callable[[Problem], None] = lambda problem: log.warning("%s", problem),
    ) -> None:
        self.directory = directory
        self.registry = Registry()
        self._protects, self._told = protects, told
        self._seen: dict[str, tuple[int, int]] = {}
        self._read: dict[str, Read] = {}

    def look(self) -> bool:
        """Read again what has changed since; True if anything has. Blocks for the disk."""
        now = self._files()
        if now == self._seen:
            return False
        before = self._read
        self._read = {
            name: before[name]
            if self._seen.get(name) == now[name] and name in before
            else self._again(name, before.get(name))
            for name in sorted(now)
        }
        self._seen = now
        self.registry = self._put_together(self._read)
        for problem in self.registry.problems:
            if not any(problem in problems for _, problems in before.values()):
                self._told(problem)
        return True

    def having(self, name: str, text: str) -> Registry:
        """How it would be with one more file."""
        return self._put_together({**self._read, name: read_skill(name, f"{name}{SUFFIX}", text, self._protects)})

    def text(self, name: str) -> str | None:
        """What stands in a skill's file; None if there is none. Blocks for the disk."""
        try:
            return (self.directory / f"{name}{SUFFIX}").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str | None) -> None:
        """Replace a skill's file whole, or remove it (None). Blocks for the disk."""
        file = self.directory / f"{name}{SUFFIX}"
        if text is None:
            file.unlink(missing_ok=True)
        else:
            self.directory.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.write_text(text, encoding="utf-8")
            os.replace(part, file)
        self.look()

    def _files(self) -> dict[str, tuple[int, int]]:
        """Name to time of change and size."""
        found = {}
        try:
            with os.scandir(self.directory) as entries:
                for entry in entries:
                    if entry.name.endswith(SUFFIX) and not entry.name.startswith(".") and entry.is_file():
                        stat = entry.stat()
                        found[entry.name.removesuffix(SUFFIX)] = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            return {}
        return found

    def _again(self, name: str, before: Read | None) -> Read:
        file = f"{name}{SUFFIX}"
        try:
            text = (self.directory / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            found: Read = (None, (Problem(file, 1, f"cannot be read: {error}"),))
        else:
            found = read_skill(name, file, text, self._protects)
        return (found[0] or (before[0] if before is not None else None), found[1])

    @staticmethod
    def _put_together(read: Mapping[str, Read]) -> Registry:
        return Registry(
            [skill for skill, _ in read.values() if skill is not None],
            [problem for _, problems in read.values() for problem in problems],
        )
