"""Units of measurement. What they are called stands with the languages.

Factors are exact by definition: the international yard and pound of 1959, the US gallon of 231 cubic inches, the acre
of 4,840 square yards, the thermochemical calorie, the metric horsepower of 75 kgf·m/s, and the SI. A German "Pfund" is
half a kilogram, as on every market; a month is a twelfth of a year, and a year has 365 days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction as _F

from appliance.dialogue.languages import grammar
from appliance.language import Language


@dataclass(frozen=True)
class Unit:
    """A value in it times `factor` plus `offset` is the value in the base unit of its dimension."""

    key: str
    dimension: str
    factor: _F
    offset: _F = _F(0)

    def __str__(self) -> str:
        return self.key


_INCH = _F(254, 10_000)
_FOOT, _YARD, _MILE = 12 * _INCH, 36 * _INCH, 63_360 * _INCH
_POUND = _F("0.45359237")
_GALLON = 231 * _INCH**3 * 1000  # litres
_GRAVITY = _F("9.80665")
_CALORIE = _F("4.184")

_FACTORS: dict[str, dict[str, _F | int]] = {
    "length": {"mm": _F(1, 1000), "cm": _F(1, 100), "dm": _F(1, 10), "m": 1, "km": 1000, "in": _INCH, "ft": _FOOT,
               "yd": _YARD, "mi": _MILE, "nmi": 1852},
    "mass": {"mg": _F(1, 10**6), "g": _F(1, 1000), "dkg": _F(1, 100), "kg": 1, "ztr": 50, "t": 1000,
             "oz": _POUND / 16, "lb": _POUND, "st": 14 * _POUND, "pfund": _F(1, 2)},
    "volume": {"ml": _F(1, 1000), "cl": _F(1, 100), "dl": _F(1, 10), "l": 1, "m3": 1000, "cm3": _F(1, 1000),
               "pinch": _GALLON / 12_288, "tsp": _GALLON / 768, "tbsp": _GALLON / 256, "floz": _GALLON / 128,
               "cup": _GALLON / 16, "pt": _GALLON / 8, "qt": _GALLON / 4, "gal": _GALLON},
    "area": {"cm2": _F(1, 10_000), "m2": 1, "a": 100, "ha": 10_000, "km2": 10**6, "in2": _INCH**2, "ft2": _FOOT**2,
             "ac": 4840 * _YARD**2, "sqmi": _MILE**2},
    "speed": {"m/s": 1, "km/h": _F(5, 18), "mph": _MILE / 3600, "kn": _F(1852, 3600)},
    "time": {"ms": _F(1, 1000), "s": 1, "min": 60, "h": 3600, "d": 86_400, "wk": 604_800, "mo": 2_628_000,
             "yr": 31_536_000},
    "data": {"bit": _F(1, 8), "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12},
    "rate": {"Mbit/s": _F(10**6, 8), "MB/s": 10**6},
    "energy": {"J": 1, "kJ": 1000, "cal": _CALORIE, "kcal": 1000 * _CALORIE, "Wh": 3600, "kWh": 3_600_000},
    "power": {"W": 1, "kW": 1000, "PS": 75 * _GRAVITY, "hp": 550 * _FOOT * _POUND * _GRAVITY},
    "pressure": {"bar": 100_000, "hPa": 100, "psi": _POUND * _GRAVITY / _INCH**2},
}  # fmt: skip
UNITS: dict[str, Unit] = {
    key: Unit(key, dimension, _F(factor)) for dimension, factors in _FACTORS.items() for key, factor in factors.items()
} | {
    "K": Unit("K", "temperature", _F(1)),
    "°C": Unit("°C", "temperature", _F(1), _F("273.15")),
    "°F": Unit("°F", "temperature", _F(5, 9), _F("459.67") * _F(5, 9)),
    "°": Unit("°", "temperature", _F(1), _F("273.15")),
}
METRIC_SPOONS: dict[str, Unit] = {
    key: Unit(key, "volume", _F(ml, 1000)) for key, ml in (("tsp", 5), ("tbsp", 15), ("cup", 250), ("pinch", _F(1, 3)))
}
"""What German (and most) kitchens mean by them; the others are US ones."""
_LONGEST_NAME = 4  # words in "kilometers per hour" and "pounds per square inch"


def parse_unit_at(words: Sequence[str], start: int, language: Language) -> tuple[Unit, int] | None:
    """The longest unit name that begins at words[start], and the position after it."""
    names = grammar(language).words.units
    for end in range(min(len(words), start + _LONGEST_NAME), start, -1):
        key = names.get(" ".join(words[start:end]))
        if key is not None:
            return UNITS[key], end
    return None
