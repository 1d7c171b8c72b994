"""Spoken and typed arithmetic to an expression tree, and its exact value. Nothing is ever passed to eval().

sum     := product ((plus | minus) product)*
product := unary ((times | divided by | percent of | half of …) unary)*
unary   := minus unary | power
power   := atom (hoch | to the power of unary | squared | cubed)*
atom    := number | "(" sum ")" | square root of unary
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt
from typing import Any, Literal

from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.numerals import parse_number
from appliance.dialogue.utterance import Span, Utterance
from appliance.language import Language

Operator = Literal["+", "-", "*", "/", "^", "root", "negative", "of", "% of"]
MAX_BITS = 4096
"""A result with more binary digits is "too big": nobody listens to 1,200 decimal digits."""
_MAX_DEPTH = 30
_MAX_TOKENS = 80


@dataclass(frozen=True)
class Expression:
    """A number (`operator` is ""), or an operation on one or two expressions."""

    operator: Operator | Literal[""]
    operands: tuple[Expression, ...] = ()
    number: Fraction = Fraction(0)

    def evaluate(self) -> Fraction:
        """Exact but for roots that are not whole (25 decimal places).

        Raises ZeroDivisionError, OverflowError above MAX_BITS, ValueError for the root of a negative number.
        """
        if not self.operator:
            return self.number
        value = _apply(self.operator, [operand.evaluate() for operand in self.operands])
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
            raise OverflowError(f"the result has more than {MAX_BITS} binary digits")
        return value

    def __str__(self) -> str:
        if not self.operator:
            return str(self.number)
        if len(self.operands) == 1:
            return f"{self.operator} ({self.operands[0]})"
        return f"({self.operands[0]} {self.operator} {self.operands[1]})"


def _apply(operator: Operator, values: list[Fraction]) -> Fraction:
    first = values[0]
    second = values[-1]
    match operator:
        case "+":
            return first + second
        case "-":
            return first - second
        case "*" | "of":
            return first * second
        case "/":
            return first / second
        case "% of":
            return first * second / 100
        case "negative":
            return -first
        case "root":
            return _square_root(first)
        case "^":
            return _power(first, second)


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent == Fraction(1, 2):
        return _square_root(base)
    if exponent.denominator != 1:
        raise ValueError(f"power {exponent}: expected a whole number")
    if base in (-1, 0, 1) and exponent > 1:
        exponent = 2 - exponent % 2  # the same result for any exponent, however large
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if (bits - 1) * abs(exponent) > MAX_BITS:
        raise OverflowError(f"{base} to the power of {exponent}")
    return Fraction(base ** int(exponent))


def _square_root(value: Fraction) -> Fraction:
    if value < 0:
        raise ValueError(f"square root of {value}")
    numerator, denominator = isqrt(value.numerator), isqrt(value.denominator)
    if numerator**2 == value.numerator and denominator**2 == value.denominator:
        return Fraction(numerator, denominator)
    scale = 10**25
    return Fraction(isqrt(value.numerator * scale**2 // value.denominator), scale)


_LONGEST = 5  # words in "raised to the power of"
_SIGNS = set("+-*/^()")

Token = Fraction | str


def parse_expression(text: str, language: Language) -> Expression | None:
    """The whole text as arithmetic with at least one operation; None for anything else, a bare number included."""
    tokens = _tokens(text, language)
    if tokens is None or not 2 <= len(tokens) <= _MAX_TOKENS:
        return None
    parser = _Parser(_plain_order(tokens))
    try:
        tree = parser.sum(0)
    except _NotArithmetic:
        return None
    return tree if parser.at_end and _calculates(tree) else None


def _calculates(tree: Expression) -> bool:
    """Whether there is something to work out: "minus five" is just a number."""
    return _calculates(tree.operands[0]) if tree.operator == "negative" else tree.operator != ""


def _tokens(text: str, language: Language) -> list[Token] | None:
    """Numbers and operators in order; None as soon as anything else turns up."""
    for sign in _SIGNS - {"/"}:
        text = text.replace(sign, f" {sign} ")
    words = text.replace("/", " / ").split()
    operators = grammar(language).words["operators"]
    tokens: list[Token] = []
    position = 0
    while position < len(words):
        expects_value = not tokens or (isinstance(tokens[-1], str) and tokens[-1] not in (")", "^2", "^3"))
        number = parse_number(words, position, language) if expects_value else None
        if number is not None:
            tokens.append(number[0])
            position = number[1]
            continue
        for end in range(min(len(words), position + _LONGEST), position, -1):
            operator = operators.get(" ".join(words[position:end]))
            operator = operator or (words[position] if words[position] in _SIGNS and end == position + 1 else None)
            if operator:
                tokens.append(operator)
                position = end
                break
        else:
            return None
        if tokens[-2:] == ["*", "*"]:  # 2 ** 3
            tokens[-2:] = ["^"]
    return tokens


def _plain_order(tokens: list[Token]) -> list[Token]:
    """ "subtract 3 from 10" to "10 - 3", "multiply 3 by 4" to "3 * 4", "add 5 and 7" to "5 + 7"."""
    verb, rest = tokens[0], tokens[1:]
    if verb == "subtract" and "from" in rest:
        middle = rest.index("from")
        return ["(", *rest[middle + 1 :], ")", "-", "(", *rest[:middle], ")"]
    sign = {"add": "+", "multiply": "*", "divide": "/"}.get(verb) if isinstance(verb, str) else None
    if sign is None:
        return ["*" if token == "by" else token for token in tokens]  # "3 by 4" as on a building site
    return [sign if token in ("by", "+", "to") else token for token in rest]


class _NotArithmetic(Exception):
    """The words are not an expression."""


class _Parser:
    """Recursive descent over the tokens; depth is bounded so that "((((…" cannot exhaust the stack."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._position = 0

    @property
    def at_end(self) -> bool:
        return self._position == len(self._tokens)

    def sum(self, depth: int) -> Expression:
        left = self._product(depth)
        while (operator := self._take("+", "-")) is not None:
            left = Expression(operator, (left, self._product(depth)))
        return left

    def _product(self, depth: int) -> Expression:
        left = self._unary(depth)
        while (operator := self._take("*", "/", "% of", "of")) is not None:
            if operator == "of":  # "half of twelve", "1/3 of twelve", but not "three of twelve"
                if left.operator == "/" and all(not each.operator and each.number for each in left.operands):
                    left = Expression("", number=left.evaluate())
                if left.operator or not 0 < left.number < 1:
                    raise _NotArithmetic
            left = Expression(operator, (left, self._unary(depth)))
        return left

    def _unary(self, depth: int) -> Expression:
        if depth > _MAX_DEPTH:
            raise _NotArithmetic
        if self._take("-"):
            return Expression("negative", (self._unary(depth + 1),))
        return self._power(depth)

    def _power(self, depth: int) -> Expression:
        base = self._atom(depth)
        while (operator := self._take("^", "^2", "^3")) is not None:
            if operator == "^":
                base = Expression("^", (base, self._unary(depth + 1)))
            else:
                base = Expression("^", (base, Expression("", number=Fraction(int(operator[1])))))
        return base

    def _atom(self, depth: int) -> Expression:
        if self._take("("):
            inside = self.sum(depth + 1)
            if self._take(")") is None:
                raise _NotArithmetic
            return inside
        if self._take("root"):
            return Expression("root", (self._unary(depth + 1),))
        if self.at_end or not isinstance(token := self._tokens[self._position], Fraction):
            raise _NotArithmetic
        self._position += 1
        return Expression("", number=token)

    def _take(self, *wanted: str) -> Any:
        if not self.at_end and self._tokens[self._position] in wanted:
            self._position += 1
            return self._tokens[self._position - 1]
        return None


def expressions(utterance: Utterance) -> Iterator[Span]:
    """The longest arithmetic from each word on; slot `expression`."""
    yield from _expressions(utterance)
    words, begins = _with_prices(utterance)
    if len(words) < len(utterance.words):
        priced = replace(utterance, words=tuple(words), spans={}, costs=None)
        for span in _expressions(priced):
            yield replace(span, start=begins[span.start], end=begins[span.end])


def _with_prices(utterance: Utterance) -> tuple[list[str], list[int]]:
    """The words with "one twenty" as "1.20", and where each began; the last one is the end."""
    point = str(grammar(utterance.language).words["typed"]["point"])
    words, begins, position = [], [], 0
    while position < len(utterance.words):
        begins.append(position)
        units = parse_number(utterance.words, position, utterance.language)
        cents = parse_number(utterance.words, units[1], utterance.language) if units else None
        if units and cents and _is_price(units[0], cents[0]):
            words.append(f"{units[0]}{point}{cents[0]}")
            position = cents[1]
        else:
            words.append(utterance.words[position])
            position += 1
    return words, [*begins, len(utterance.words)]


def _is_price(units: Fraction, cents: Fraction) -> bool:
    return units.denominator == cents.denominator == 1 and 0 < units < 1000 and 10 <= cents <= 99


def _expressions(utterance: Utterance) -> Iterator[Span]:
    words, language = utterance.words, utterance.language
    yield from _in_other_words(utterance)
    operators = grammar(language).words["operators"]
    known = {word for phrase in operators for word in phrase.split()}
    fits = [
        word in known
        or word[0] in "0123456789+-*/^()"
        or parse_number([word], 0, language) is not None
        or word in grammar(language).words["number_words"]
        for word in words
    ]
    for start in range(len(words)):
        end = start
        while end < len(words) and fits[end]:
            end += 1
        for stop in range(end, start, -1):
            if (tree := parse_expression(" ".join(words[start:stop]), language)) is not None:
                yield Span(start, stop, {"expression": tree})
                break


def _in_other_words(utterance: Utterance) -> Iterator[Span]:
    """ "take three from ten", "forty percent off sixty": what the language's `sums` say in the usual order."""
    if not any(parse_number([word], 0, utterance.language) for word in utterance.words):
        return
    sums = grammar(utterance.language).words.table.get("sums", {})
    for pattern, replacement in sums.items():
        for form in (pattern, pattern.replace("+)", "+?)")):  # as much as there is, else as little as will do
            found = _said_so(utterance, form, replacement)
            if found is not None:
                yield found
                break


def _said_so(utterance: Utterance, form: str, replacement: str) -> Span | None:
    """The first place where a sum is said in that form."""
    for start in range(len(utterance.words)):
        match = re.match(rf"(?:{form})(?!\S)", utterance.text(start, len(utterance.words)))
        tree = parse_expression(match.expand(replacement), utterance.language) if match else None
        if match is not None and tree is not None:
            return Span(start, start + len(match[0].split()), {"expression": tree})
    return None
