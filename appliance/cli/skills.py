"""`stimme skills`: the owner's own skills, and what is wrong with them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

from appliance.app import choose
from appliance.config import Config
from appliance.dialogue.owners.answering import failures
from appliance.dialogue.owners.listening import protected, understood_otherwise
from appliance.dialogue.owners.registry import SUFFIX, Folder, Registry
from appliance.dialogue.owners.skill_file import OwnersSkill, Problem, read_skill
from appliance.dialogue.owners.templates import Slot
from appliance.dialogue.understanding import Understanding
from appliance.errors import ConfigError
from appliance.helpers.targets import commands, targets
from appliance.models.whole import vocabulary

_NO_TARGETS, _NO_COMMANDS = "NAME=http://HOST:PORT in helpers.targets", "NAME=/whole/path in helpers.commands"


def skills(config: Config, options: argparse.Namespace) -> int:
    """List or check them; exit code 1 if something is wrong."""
    base = Understanding()
    folder = Folder(config.skills_path(), protected, told=lambda problem: None)
    folder.look()
    if options.action == "list":
        return _list(folder, as_json=options.json)
    return _check(config, base, folder, options.files)


def _list(folder: Folder, *, as_json: bool) -> int:
    registry = folder.registry
    if as_json:
        print(
            json.dumps(
                {
                    "directory": str(folder.directory),
                    "problems": [str(problem) for problem in registry.problems],
                    "skills": [
                        {
                            "name": skill.name,
                            "about": skill.about,
                            "languages": list(skill.wordings),
                            "sentences": _sentences(skill),
                        }
                        for skill in registry.skills.values()
                    ],
                },
                ensure_ascii=False,
            )
        )
    else:
        for skill in registry.skills.values():
            print(f"{skill.name:24} {', '.join(skill.wordings):8} {_sentences(skill):4} sentences  {skill.about}")
        if not registry.skills:
            print(f"no skills of your own in {folder.directory}")
        for problem in registry.problems:
            print(problem)
    return 1 if _serious(registry.problems) else 0


def _check(config: Config, base: Understanding, folder: Folder, files: list[Path]) -> int:
    asked = files or sorted(folder.directory.glob(f"*{SUFFIX}"))
    if not asked:
        print(f"no skills of your own in {folder.directory}")
    found: list[Problem] = []
    for file in asked:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: cannot be read: {error}") from error
        skill, problems = read_skill(file.stem, str(file), text, protected)
        if skill is not None:
            others = [each for each in folder.registry.skills.values() if each.name != skill.name]
            registry = Registry([*others, skill])
            problems = (
                *problems,
                *(each for each in registry.problems if each.file == str(file)),
                *_tried(registry, base, skill),
                *_elsewhere(base, skill),
                *_outside(config, skill),
                *_unheard(config, skill),
            )
        found += problems
        for problem in problems:
            print(problem)
        if not _serious(problems) and skill is not None:
            print(f"{file}: {_sentences(skill)} sentences, {len(skill.trials)} tests went well")
    return 1 if _serious(found) else 0


def _serious(problems: Iterable[Problem]) -> bool:
    return any(not problem.is_warning for problem in problems)


def _sentences(skill: OwnersSkill) -> int:
    return sum(len(wording.sentences) for wording in skill.wordings.values())


def _tried(registry: Registry, base: Understanding, skill: OwnersSkill) -> Iterable[Problem]:
    for line, message in failures(registry, base, skill):
        yield Problem(skill.file, line, message)


def _elsewhere(base: Understanding, skill: OwnersSkill) -> Iterable[Problem]:
    """Sentences that mean something without this skill too."""
    for language, wording in skill.wordings.items():
        for sentence in wording.sentences:
            parts = sentence.variants[0]
            if any(isinstance(part, Slot) for part in parts):
                continue
            if meant := understood_otherwise(base, " ".join(map(str, parts)), language):
                yield Problem(
                    skill.file,
                    sentence.line,
                    f"{sentence.text!r} means {meant} without this skill; yours comes first",
                    is_warning=True,
                )


def _unheard(config: Config, skill: OwnersSkill) -> Iterable[Problem]:
    """Words that the recognizer in use cannot write, whoever says them."""
    recognizers = choose(config, "recognizer", config.models_path())
    for language, wording in skill.wordings.items():
        if (choice := recognizers.get(language)) is None or not (known := vocabulary(choice.path)):
            continue
        lines = {
            part: sentence.line
            for sentence in reversed(wording.sentences)
            for parts in sentence.variants
            for part in parts
            if isinstance(part, str)
        }
        for words in wording.lists.values():
            lines |= {word: lines.get(word, 1) for said in words.values for word in said}
        for word, line in sorted(lines.items(), key=lambda entry: entry[1]):
            if word not in known and not word.isdecimal():
                yield Problem(
                    skill.file,
                    line,
                    f"{choice.name} has never heard the word {word!r}; typed it is understood, spoken it is not",
                    is_warning=True,
                )


def _outside(config: Config, skill: OwnersSkill) -> Iterable[Problem]:
    """What the settings do not name."""
    known, programs = targets(config.helpers.targets), commands(config.helpers.commands)
    if skill.call is not None and skill.call.target not in known:
        yield Problem(
            skill.file,
            1,
            f"the target {skill.call.target!r} is not in the settings; expected {', '.join(known) or _NO_TARGETS}",
        )
    if skill.command and skill.command not in programs:
        yield Problem(
            skill.file,
            1,
            f"the command {skill.command!r} is not in the settings; expected {', '.join(programs) or _NO_COMMANDS}",
        )
