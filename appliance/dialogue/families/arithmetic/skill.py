"""Arithmetic: says the task again, so that a misheard number is noticed, and its result."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from appliance.dialogue.family import Family
from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.arithmetic import Expression, expressions, parse_expression
from appliance.dialogue.reading.numerals import parse_number
from appliance.dialogue.saying.numbers import is_exact
from appliance.dialogue.types import Context, Intent, Question, Reply
from appliance.dialogue.utterance import Utterance

_NAMES = {"+": "plus", "-": "minus", "*": "times", "/": "divided", "^": "power", "% of": "percent", "root": "root"}
_PARTS = {
    Fraction(1, 2): "half",
    Fraction(1, 3): "third",
    Fraction(1, 4): "quarter",
    Fraction(2, 3): "two_thirds",
    Fraction(3, 4): "three_quarters",
}
_DECIMALS = 4


def calculate(intent: Intent, context: Context) -> Reply:
    expression = intent.slots.get("expression")
    if not isinstance(expression, Expression):
        return context.say("arithmetic.what", question=Question(intent, ("expression",)))
    try:
        value = expression.evaluate()
    except ZeroDivisionError:
        return context.say("arithmetic.by_zero")
    except OverflowError:
        return context.say("arithmetic.too_big")
    except ValueError:
        return context.say("arithmetic.no_result")
    result = context.text("arithmetic.exact" if is_exact(value, _DECIMALS) else "arithmetic.about", value=value)
    numbers = [operand.number for operand in expression.operands]
    name = _NAMES.get(expression.operator)
    if expression.operator == "of":
        name = _PARTS.get(numbers.pop(0))
    if name is None or any(operand.operator for operand in expression.operands):
        return context.say("arithmetic.result", result=result)
    values = {letter: number for letter, number in zip("ab", numbers, strict=False)}
    task = context.text(f"arithmetic.{name}", **values)
    many = "many" if name in ("percent", "two_thirds", "three_quarters") else "one"
    return context.say(f"arithmetic.is_{many}", task=task, result=result)


def _go_on(utterance: Utterance, last: Intent) -> Intent | None:
    """ "times two", "and minus five", "half of that": goes on with the last result."""
    before = last.slots.get("expression")
    if not isinstance(before, Expression):
        return None
    table = grammar(utterance.language).words
    try:
        value = before.evaluate()
    except (ArithmeticError, ValueError):
        return None
    small = {
        at
        for name in ("filler", "also", "pronoun")
        for start, end in utterance.hits.get(name, ())
        for at in range(start, end)
        if utterance.words[at] not in table["operators"]
        and not parse_number([utterance.words[at]], 0, utterance.language)
    }
    words = [word for at, word in enumerate(utterance.words) if at not in small]
    if words and words[0] in table.set("and") and len(words) > 1:
        words = words[1:]
    if (tree := _percent_again(words, before, utterance)) is not None:
        return Intent("Calculate", "", utterance.language, {"expression": tree})
    tree = parse_expression(" ".join(["1", *words]), utterance.language) if words else None
    if tree is not None:
        return Intent("Calculate", "", utterance.language, {"expression": _put(tree, value)})
    tree = parse_expression(" ".join([*words, "1"]), utterance.language) if words else None
    if tree is not None and not tree.operands[-1].operator:
        end = Expression("", number=value)
        return Intent(
            "Calculate", "", utterance.language, {"expression": replace(tree, operands=(*tree.operands[:-1], end))}
        )
    return None


def _percent_again(words: list[str], before: Expression, utterance: Utterance) -> Expression | None:
    """After "fifteen percent of eighty": "and of ninety", "and twenty percent"."""
    if before.operator != "% of":
        return None
    table = grammar(utterance.language).words
    share, whole = before.operands
    number = [parse_number(words, at, utterance.language) for at in range(min(2, len(words)))]
    if len(words) > 1 and table["operators"].get(words[0]) == "of" and number[1] and number[1][1] == len(words):
        return Expression("% of", (share, Expression("", number=number[1][0])))
    if number and number[0] and words[number[0][1] :] in [each.split() for each in table.set("percent")]:
        return Expression("% of", (Expression("", number=number[0][0]), whole))
    return None


def _put(tree: Expression, value: Fraction) -> Expression:
    """The tree with its first number replaced."""
    if not tree.operator:
        return Expression("", number=value)
    return replace(tree, operands=(_put(tree.operands[0], value), *tree.operands[1:]))


FAMILY = Family("arithmetic", skills={"Calculate": calculate}, readers={"expression": expressions}, go_on=_go_on)
