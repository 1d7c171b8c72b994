"""Numbers as digits, grouped as the language groups them."""

from __future__ import annotations

from fractions import Fraction

_TOO_LONG_TO_SAY = 10**15


def digits(
    value: Fraction, group: str, point: str, *, decimals: int = 2, times_ten: str = "times 10 to the power of"
) -> str:
    """ "1,234.5", "minus 3", rounded; from 10¹⁵ on "2.5 times 10 to the power of 20".

    Below one, `decimals` counts the digits after the leading zeros, so that 0.00012 does not become 0.
    """
    sign = "minus " if value < 0 else ""
    value = abs(value)
    if value >= _TOO_LONG_TO_SAY:
        exponent = len(str(value.numerator // value.denominator)) - 1
        mantissa = digits(value / 10**exponent, group, point, decimals=decimals)
        return f"{sign}{mantissa} {times_ten} {exponent}"
    value = rounded(value, decimals)
    whole, rest = divmod(value, 1)
    text = f"{int(whole):,}".replace(",", group)
    if rest:
        text += point + f"{float(rest):.{_places(rest) + 2}f}".rstrip("0")[2:]
    return sign + text


def rounded(value: Fraction, decimals: int = 2) -> Fraction:
    """The value that `digits` says."""
    places = decimals if abs(value) >= 1 or not value else decimals + _places(abs(value))
    return round(value, places)


def _places(value: Fraction) -> int:
    """How many zeros follow the decimal point of a value below one."""
    places = 0
    while 0 < value < Fraction(1, 10) and places < 12:
        value *= 10
        places += 1
    return places + 1 if value else 0


def is_exact(value: Fraction, decimals: int = 2) -> bool:
    """Whether `digits` says the value without rounding."""
    return abs(value) < _TOO_LONG_TO_SAY and rounded(value, decimals) == value
