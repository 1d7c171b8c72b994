"""What an owner's skill answers, and the teaching of new ones; as a family of the dialogue."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from appliance.dialogue.family import Family
from appliance.dialogue.owners.document import written
from appliance.dialogue.owners.listening import OURS, OWNERS, TEACH, WithOwners, understood_otherwise
from appliance.dialogue.owners.registry import Folder, Registry
from appliance.dialogue.owners.skill_file import Call, OwnersSkill
from appliance.dialogue.performers import Inverse, Occasion, Performer, Refused, Run
from appliance.dialogue.types import Ask, Context, Intent, Question, Reply
from appliance.dialogue.understanding import Understands
from appliance.language import Language

TAUGHT = "taught-"
"""How the names of files begin that were not written by hand."""

OUTSIDE = "outside"
"""Who is asked for calls and commands; the question is a JSON object with `call` or `command`."""

_NAME = re.compile(r"\{(\w+)\}")
_MOST_ANSWER_CHARACTERS = 500


@dataclass(frozen=True)
class WriteSkill:
    """text: None removes it."""

    name: str
    text: str | None


def owners_family(registry: Callable[[], Registry], base: Understands) -> Family:
    """The family that answers for all skills of the owner, whichever there are at the moment."""

    def answer(intent: Intent, context: Context) -> Reply | Ask:
        skill = registry().skills.get(str(intent.slots.get("skill")))
        if skill is None or context.language not in skill.wordings:
            return context.say("turn.apology")
        if skill.confirm and not intent.slots.get("confirmed"):
            what = skill.about or intent.text
            return context.say("owners.sure", what=what, question=Question(intent))
        values = {name: str(value) for name, value in intent.slots.items()}
        if skill.call is None and not skill.command:
            return _reply(skill, context, values)
        if skill.command:
            wanted: object = {"command": skill.command, "slots": values}
        else:
            assert skill.call is not None, "one of the two"
            wanted = {"call": _filled_call(skill.call, values)}
        failed = skill.wordings[context.language].failed

        def then(said: str) -> Reply:
            found = _taken(said, skill.call.take if skill.call is not None else "")
            return _reply(skill, context, {**values, "answer": found[:_MOST_ANSWER_CHARACTERS]})

        return Ask(OUTSIDE, json.dumps({**wanted, "failed": filled(failed, values)}), then)  # type: ignore[dict-item]

    def teach(intent: Intent, context: Context) -> Reply:
        phrase, reply = str(intent.slots.get("phrase", "")), str(intent.slots.get("reply", ""))
        if not context.may_configure:
            return context.say("system.may_not")
        against = objection(base, phrase, reply, context.language)
        if against in ("not_learnt", "ours"):
            return context.say(f"owners.{against}")
        if intent.slots.get("confirmed"):
            return context.say("owners.taught", actions=[lesson(phrase, reply, context.language)])
        return context.say(f"owners.teach_{against or 'sure'}", phrase=phrase, reply=reply, question=Question(intent))

    return Family(
        "owners",
        {OWNERS: answer, TEACH: teach},
        acts=frozenset({TEACH}),
        for_good=frozenset({OWNERS}),
        actions=(WriteSkill,),
        folder=Path(__file__).parent,
    )


def possible_replies(skill: OwnersSkill, language: Language, slots: Mapping[str, object]) -> list[str]:
    """Every reply it may give to a sentence with these slots."""
    values = {name: str(value) for name, value in slots.items()}
    return [filled(reply, values) for reply in skill.wordings[language].replies]


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with what was said in it; what was not said leaves no gap."""
    said = _NAME.sub(lambda name: values.get(name[1], ""), text)
    return re.sub(r"[,\s]+(?=[.!?;:]|$)|\s+(?=,)", "", " ".join(said.split()))


def _reply(skill: OwnersSkill, context: Context, values: Mapping[str, str]) -> Reply:
    choices = [filled(reply, values) for reply in skill.wordings[context.language].replies]
    fresh = [choice for choice in choices if choice != context.last_reply] or choices
    return Reply(context.random.choice(fresh), context.language)


def _filled_call(call: Call, values: Mapping[str, str]) -> dict[str, object]:
    path = _NAME.sub(lambda name: quote(values.get(name[1], ""), safe=""), call.path)
    return {"target": call.target, "method": call.method, "path": path, "body": _filled_json(call.body, values)}


def _filled_json(body: object, values: Mapping[str, str]) -> object:
    if isinstance(body, dict):
        return {name: _filled_json(each, values) for name, each in body.items()}
    if isinstance(body, list):
        return [_filled_json(each, values) for each in body]
    return _NAME.sub(lambda name: values.get(name[1], ""), body) if isinstance(body, str) else body


def _taken(said: str, path: str) -> str:
    """What stands at "a.b.0" of a JSON answer; all of it for ""; "" if there is nothing."""
    if not path:
        return said.strip()
    try:
        found: object = json.loads(said)
        for step in path.split("."):
            found = found[int(step)] if isinstance(found, list) else found[step]  # type: ignore[index]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


# Teaching


def objection(
    base: Understands, phrase: str, reply: str, language: Language
) -> Literal["not_learnt", "ours", "instead", ""]:
    """What speaks against answering `reply` to `phrase`: it is no plain text; those words must always work; it has
    meant something else until now; nothing."""
    if not phrase or not reply or set(phrase + reply) & set("{}[]()|"):
        return "not_learnt"
    if base.understand(phrase, language).name in OURS:
        return "ours"
    return "instead" if understood_otherwise(base, phrase, language) else ""


def lesson(phrase: str, reply: str, language: Language) -> WriteSkill:
    """A skill that answers this, with its test."""
    content = {
        "about": phrase,
        language: {"sentences": [phrase], "replies": [reply]},
        "tests": [{language: phrase, "reply": reply}],
    }
    return WriteSkill(_file_name(phrase), written(content))


def _file_name(phrase: str) -> str:
    plain = unicodedata.normalize("NFKD", phrase).encode("ascii", "ignore").decode().lower()
    return f"{TAUGHT}{re.sub(r'[^a-z0-9]+', '-', plain).strip('-')[:40] or 'sentence'}"


def failures(registry: Registry, base: Understands, skill: OwnersSkill) -> Iterator[tuple[int, str]]:
    """What of a skill's own tests goes wrong: line and words."""
    understanding = WithOwners(base, lambda: registry)
    for trial in skill.trials:
        intent = understanding.understand(trial.text, trial.language)
        is_own = intent.name == OWNERS and intent.slots.get("skill") == skill.name
        if trial.is_other:
            if is_own:
                yield trial.line, f"{trial.text!r} is understood as this skill, expected not"
        elif not is_own:
            other = intent.slots.get("skill") if intent.name == OWNERS else intent.name or "nothing"
            yield trial.line, f"{trial.text!r} is understood as {other}, expected this skill"
        elif trial.reply and trial.reply not in (possible := possible_replies(skill, trial.language, intent.slots)):
            yield trial.line, f"{trial.text!r} is answered {' or '.join(map(repr, possible))}, expected {trial.reply!r}"


def keep(folder: Folder, base: Understands, action: WriteSkill) -> str | None:
    """Write it, once its tests have gone well; returns what stood there before. Raises Refused. Blocks for the disk."""
    if action.text is not None:
        registry = folder.having(action.name, action.text)
        skill = registry.skills.get(action.name)
        if skill is None or any(True for _ in failures(registry, base, skill)):
            raise Refused("owners.test_failed")
    before = folder.text(action.name)
    folder.write(action.name, action.text)
    return before


def teaching_performers(folder: Folder, base: Understands, run: Run) -> dict[type, Performer]:
    """run: for the disk."""

    async def write(action: WriteSkill, occasion: Occasion) -> Inverse:
        return (WriteSkill(action.name, await run(keep, folder, base, action)),)

    return {WriteSkill: write}
