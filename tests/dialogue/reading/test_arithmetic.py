"""Arithmetic against Python's Fraction."""

from collections.abc import Callable
from fractions import Fraction
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.dialogue.patterns import Lexicon
from appliance.dialogue.reading.arithmetic import Expression, expressions, parse_expression
from appliance.dialogue.reading.normalisation import normalise
from appliance.dialogue.utterance import Utterance
from appliance.language import LANGUAGES, Language
from tests.dialogue.said import in_words

SAID: dict[Language, dict[str, str]] = {
    "en": {"+": "plus", "-": "minus", "*": "times", "/": "divided by"},
    "de": {"+": "plus", "-": "minus", "*": "mal", "/": "geteilt durch"},
}
languages = st.sampled_from(LANGUAGES)
numbers = st.integers(0, 9999)
operators = st.sampled_from("+-*/")


def result(text: str, language: Language) -> Fraction | None:
    expression = parse_expression(normalise(text, language), language)
    return None if expression is None else expression.evaluate()


@given(numbers, st.lists(st.tuples(operators, st.integers(1, 9999)), min_size=1, max_size=6), languages)
def test_a_spoken_chain_has_pythons_result(first: int, rest: list[tuple[str, int]], language: Language) -> None:
    said = in_words(first, language)
    python = f"Fraction({first})"
    for operator, number in rest:
        said += f" {SAID[language][operator]} {in_words(number, language)}"
        python += f" {operator} Fraction({number})"
    assert result(said, language) == eval(python, {"Fraction": Fraction})


trees: st.SearchStrategy[tuple[str, Fraction]] = st.recursive(
    st.integers(0, 999).map(lambda number: (str(number), Fraction(number))),
    lambda inner: st.tuples(inner, operators, inner).map(lambda parts: _combined(*parts)),
    max_leaves=8,
)


def _combined(left: tuple[str, Fraction], operator: str, right: tuple[str, Fraction]) -> tuple[str, Fraction]:
    apply: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
        "+": Fraction.__add__, "-": Fraction.__sub__, "*": Fraction.__mul__, "/": Fraction.__truediv__,
    }  # fmt: skip
    if operator == "/" and not right[1]:
        operator = "+"
    return f"({left[0]}{operator}{right[0]})", apply[operator](left[1], right[1])


@given(trees.filter(lambda tree: "(" in tree[0]), languages)
def test_typed_brackets_have_pythons_result(tree: tuple[str, Fraction], language: Language) -> None:
    assert result(tree[0], language) == tree[1]


@given(st.decimals(0, 9999, places=2), st.decimals(0, 9999, places=2))
def test_decimals_are_exact_with_point_and_with_comma(left: object, right: object) -> None:
    exact = Fraction(str(left)) + Fraction(str(right))
    assert result(f"{left} + {right}", "en") == exact
    assert result(f"{left} + {right}".replace(".", ","), "de") == exact


@given(st.text(max_size=60), languages)
def test_any_text_is_arithmetic_or_refused(text: str, language: Language) -> None:
    expression = parse_expression(normalise(text, language), language)
    assert expression is None or expression.operator


@given(st.text(alphabet="0123456789+-*/^(). ", max_size=40))
def test_any_typed_formula_has_a_result_or_a_polite_error(text: str) -> None:
    expression = parse_expression(normalise(text, "en"), "en")
    if expression is not None:
        try:
            assert isinstance(expression.evaluate(), Fraction)
        except (ZeroDivisionError, OverflowError, ValueError) as error:
            assert str(error)


@given(st.integers(0, 10**12))
def test_square_roots_are_right_to_25_places(number: int) -> None:
    root = Expression("root", (Expression("", number=Fraction(number)),)).evaluate()
    assert root**2 <= number < (root + Fraction(1, 10**25)) ** 2
    assert (root.denominator == 1) == (isqrt(number) ** 2 == number)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("fifteen percent of eighty", "en", 12), ("15% of 80", "en", 12), ("the square root of sixty four", "en", 8),
        ("two to the power of ten", "en", 1024), ("seven squared", "en", 49), ("two cubed", "en", 8),
        ("2**8", "en", 256),
        ("multiply three by four", "en", 12), ("divide ten by four", "en", "5/2"), ("add five to seven", "en", 12),
        ("the sum of five and seven", "en", 12), ("subtract three from ten", "en", 7), ("half of ninety", "en", 45),
        ("three quarters of eighty", "en", 60), ("minus five plus three", "en", -2), ("2 - -3", "en", 5),
        ("-2^2", "en", -4), ("2^-1", "en", "1/2"), ("3 x 4", "en", 12), ("5 ÷ 2", "en", "5/2"), ("4² + 1", "en", 17),
        ("2^0.5 * 0", "en", 0), ("0^0", "en", 1), ("1^1000000000", "en", 1), ("(0-1)^999999999", "en", -1),
        ("fünfzehn Prozent von achtzig", "de", 12), ("Wurzel aus 64", "de", 8), ("zwei hoch zehn", "de", 1024),
        ("die Hälfte von neunzig", "de", 45), ("ein Viertel von hundert", "de", 25), ("drei durch vier", "de", "3/4"),
        ("fünf und drei", "de", 8), ("zehn weniger drei", "de", 7), ("anderthalb mal vier", "de", 6),
        ("Klammer auf drei plus vier Klammer zu mal zwei", "de", 14), ("3,5 · 2", "de", 7), ("1.000 + 1", "de", 1001),
    ],
)  # fmt: skip
def test_ways_to_say_it(text: str, language: Language, expected: int | str) -> None:
    assert result(text, language) == Fraction(expected)


@pytest.mark.parametrize(
    "text",
    ["", "5", "-5", "five", "plus", "5 plus", "times 5", "5 5", "(5 + 3", "5 + 3)", "()", "3 of 12", "5 % 3",
     "five pizzas plus three", "__import__", "2 plus the moon", "+".join("1" * 60), "(" * 50 + "1+1" + ")" * 50],
)  # fmt: skip
def test_what_is_no_arithmetic_is_refused(text: str) -> None:
    assert result(text, "en") is None


@pytest.mark.parametrize(
    ("text", "error"),
    [("1/0", ZeroDivisionError), ("0^-1", ZeroDivisionError), ("5 / (3 - 3)", ZeroDivisionError),
     ("9^9^9^9", OverflowError), ("10^100000", OverflowError), ("0.1^100000", OverflowError),
     ("sqrt (0 - 4)", ValueError), ("2^0.3", ValueError)],
)  # fmt: skip
def test_impossible_tasks_are_errors_and_quick(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        result(text, "en")


@pytest.mark.parametrize(
    ("text", "language", "result"),
    [
        ("take seventeen away from fifty", "en", 33),
        ("what's forty percent off sixty", "en", 36),
        ("what's twice forty five", "en", 90),
        ("seven into sixty three", "en", 9),
        ("zieh siebzehn von fünfzig ab", "de", 33),
        ("was sind vierzig prozent rabatt auf sechzig", "de", 36),
        ("wie viel macht zwölf mit dreizehn zusammen", "de", 25),
        ("achtzig plus zehn prozent", "de", 88),
    ],
)
def test_sums_are_said_in_other_words(text: str, language: Language, result: int) -> None:
    said = Utterance(tuple(text.split()), language, Lexicon())
    found = [span.slots["expression"] for span in expressions(said)]
    assert any(isinstance(tree, Expression) and tree.evaluate() == result for tree in found[:1])
