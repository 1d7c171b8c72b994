"""Arithmetic: says the task again, so that a misheard number is noticed, and its result."""

from __future__ import annotations

from fractions import Fraction

from appliance.dialogue.family import Family
from appliance.dialogue.reading.arithmetic import Expression, parse_expression
from appliance.dialogue.reading.readers import one
from appliance.dialogue.saying.spoken import is_exact, number, reply
from appliance.dialogue.types import Context, Intent, Reply
from appliance.language import Language

_SAID: dict[Language, dict[str, str]] = {
    "en": {"+": "{} plus {}", "-": "{} minus {}", "*": "{} times {}", "/": "{} divided by {}",
           "^": "{} to the power of {}", "% of": "{} percent of {}", "root": "The square root of {}"},
    "de": {"+": "{} plus {}", "-": "{} minus {}", "*": "{} mal {}", "/": "{} geteilt durch {}", "^": "{} hoch {}",
           "% of": "{} Prozent von {}", "root": "Die Wurzel aus {}"},
}  # fmt: skip
_PARTS: dict[Language, dict[Fraction, str]] = {
    "en": {Fraction(1, 2): "Half", Fraction(1, 3): "A third", Fraction(1, 4): "A quarter", Fraction(2, 3): "Two thirds",
           Fraction(3, 4): "Three quarters"},
    "de": {Fraction(1, 2): "Die Hälfte", Fraction(1, 3): "Ein Drittel", Fraction(1, 4): "Ein Viertel",
           Fraction(2, 3): "Zwei Drittel", Fraction(3, 4): "Drei Viertel"},
}  # fmt: skip
_DECIMALS = 4


def calculate(intent: Intent, context: Context) -> Reply:
    expression = intent.slots["expression"]
    if not isinstance(expression, Expression):
        raise TypeError(f"expression is {type(expression).__name__}, expected Expression")
    try:
        value = expression.evaluate()
    except ZeroDivisionError:
        return reply(context, en="Dividing by zero is not possible.", de="Durch null kann man nicht teilen.")
    except OverflowError:
        return reply(context, en="That number is too big for me.", de="Diese Zahl ist mir zu groß.")
    except ValueError:
        return reply(context, en="That has no result I can name.", de="Dafür kann ich kein Ergebnis nennen.")
    return reply(context, en=_sentence(expression, value, "en"), de=_sentence(expression, value, "de"))


def _sentence(expression: Expression, value: Fraction, language: Language) -> str:
    result = number(value, language, decimals=_DECIMALS)
    if not is_exact(value, _DECIMALS):
        result = ("about " if language == "en" else "etwa ") + result
    numbers = [operand.number for operand in expression.operands]
    pattern = _SAID[language].get(expression.operator)
    if expression.operator == "of" and (part := _PARTS[language].get(numbers.pop(0))):
        pattern = part + (" of {}" if language == "en" else " von {}")
    if pattern is None or any(operand.operator for operand in expression.operands):
        return f"That's {result}." if language == "en" else f"Das ergibt {result}."
    task = pattern.format(*(number(each, language) for each in numbers))
    many = expression.operator == "% of" or task.startswith(("Zwei ", "Drei "))
    verb = "is" if language == "en" else "sind" if many else "ist"
    return f"{task} {verb} {result}."


FAMILY = Family(
    "arithmetic",
    skills={
        "Calculate": calculate,
    },
    readers={"expression": one("expression", parse_expression)},
)
