"""Teaching by hand instead of by voice: what pages show of the owner's skills, and change."""

from __future__ import annotations

from typing import Any, Literal

from appliance.dialogue.owners.answering import TAUGHT, WriteSkill, keep, lesson, objection
from appliance.dialogue.owners.registry import SUFFIX, Folder
from appliance.dialogue.performers import Refused, Run
from appliance.dialogue.understanding import Understands
from appliance.language import Language

Outcome = Literal["kept", "not_learnt", "ours", "instead", "test_failed"]


class Teacher:
    """base: understanding without the owner's skills. run: where understanding and the disk are."""

    def __init__(self, folder: Folder, base: Understands, run: Run) -> None:
        self._folder, self._base, self._run = folder, base, run

    def shown(self) -> list[dict[str, Any]]:
        """Every skill in force: its file's name, languages and what it is about; whether it was taught and so can be
        forgotten; how many mistakes its file has."""
        registry = self._folder.registry
        return [
            {
                "name": skill.name,
                "about": skill.about,
                "languages": list(skill.wordings),
                "taught": skill.name.startswith(TAUGHT),
                "mistakes": sum(problem.file == f"{skill.name}{SUFFIX}" for problem in registry.problems),
            }
            for skill in registry.skills.values()
        ]

    async def teach(self, phrase: str, reply: str, language: Language, *, instead: bool) -> Outcome:
        """Have `phrase` answered so from now on, once it was tried. instead: also where it means something else."""
        against = await self._run(objection, self._base, phrase, reply, language)
        if against and not (against == "instead" and instead):
            return against
        try:
            await self._run(keep, self._folder, self._base, lesson(phrase, reply, language))
        except Refused:
            return "test_failed"
        return "kept"

    async def forget(self, name: str) -> None:
        """What was taught; files written by hand stay."""
        if name.startswith(TAUGHT) and name in self._folder.registry.skills:
            await self._run(keep, self._folder, self._base, WriteSkill(name, None))
