"""Units of measurement in English and German.

Factors are exact by definition: the international yard and pound of 1959, the US gallon of 231 cubic inches, and the
SI. A German "Pfund" is half a kilogram, as on every market; a year has 365 days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction as _F

from appliance.language import Language


@dataclass(frozen=True)
class Unit:
    """A value in it times `factor` plus `offset` is the value in the base unit of its dimension."""

    key: str
    dimension: str
    factor: _F
    offset: _F
    names: tuple[tuple[str, ...], tuple[str, ...]]
    """In English and in German: singular, plural, and what else people say or write."""

    def name(self, language: Language, *, plural: bool) -> str:
        return self.names[language == "de"][plural]

    def __str__(self) -> str:
        return self.key


def _unit(key: str, dimension: str, factor: _F | int, *, offset: _F = _F(0), en: str, de: str) -> Unit:
    return Unit(key, dimension, _F(factor), offset, (tuple(en.split(", ")), tuple(de.split(", "))))


_INCH = _F(254, 10_000)
_OUNCE = _F("0.45359237") / 16
_GALLON = 231 * _INCH**3 * 1000  # litres

_ALL = (
    _unit("mm", "length", _F(1, 1000), en="millimeter, millimeters, mm, millimetre, millimetres",
          de="Millimeter, Millimeter, mm, millimetern"),
    _unit("cm", "length", _F(1, 100), en="centimeter, centimeters, cm, centimetre, centimetres",
          de="Zentimeter, Zentimeter, cm, zentimetern"),
    _unit("m", "length", 1, en="meter, meters, m, metre, metres", de="Meter, Meter, m, metern"),
    _unit("km", "length", 1000, en="kilometer, kilometers, km, kilometre, kilometres",
          de="Kilometer, Kilometer, km, kilometern"),
    _unit("in", "length", _INCH, en="inch, inches", de="Zoll, Zoll, inch"),
    _unit("ft", "length", 12 * _INCH, en="foot, feet, ft", de="Fuß, Fuß, ft, fuss, füße, füßen, fuße"),
    _unit("yd", "length", 36 * _INCH, en="yard, yards, yd, yds", de="Yard, Yards, yd"),
    _unit("mi", "length", 63_360 * _INCH, en="mile, miles, mi", de="Meile, Meilen, mi"),
    _unit("nmi", "length", 1852, en="nautical mile, nautical miles, nmi",
          de="Seemeile, Seemeilen, nautische meile, nautische meilen, nautischen meilen"),
    _unit("mg", "mass", _F(1, 10**6), en="milligram, milligrams, mg", de="Milligramm, Milligramm, mg"),
    _unit("g", "mass", _F(1, 1000), en="gram, grams, g, gramme, grammes", de="Gramm, Gramm, g"),
    _unit("kg", "mass", 1, en="kilogram, kilograms, kg, kilo, kilos", de="Kilogramm, Kilogramm, kg, kilo, kilos"),
    _unit("t", "mass", 1000, en="tonne, tonnes, t, metric ton, metric tons", de="Tonne, Tonnen, t"),
    _unit("oz", "mass", _OUNCE, en="ounce, ounces, oz", de="Unze, Unzen, oz"),
    _unit("lb", "mass", 16 * _OUNCE, en="pound, pounds, lb, lbs",
          de="englisches Pfund, englische Pfund, lb, lbs, englischen pfund"),
    _unit("st", "mass", 224 * _OUNCE, en="stone, stone, stones", de="Stone, Stone, stones"),
    _unit("pfund", "mass", _F(1, 2), en="German pound, German pounds", de="Pfund, Pfund, pfunde, pfunden"),
    _unit("ml", "volume", _F(1, 1000), en="milliliter, milliliters, ml, millilitre, millilitres",
          de="Milliliter, Milliliter, ml, millilitern"),
    _unit("cl", "volume", _F(1, 100), en="centiliter, centiliters, cl, centilitre, centilitres",
          de="Zentiliter, Zentiliter, cl, zentilitern"),
    _unit("l", "volume", 1, en="liter, liters, l, litre, litres", de="Liter, Liter, l, litern"),
    _unit("tsp", "volume", _GALLON / 768, en="teaspoon, teaspoons, tsp", de="Teelöffel, Teelöffel, tl, teelöffeln"),
    _unit("tbsp", "volume", _GALLON / 256, en="tablespoon, tablespoons, tbsp",
          de="Esslöffel, Esslöffel, el, esslöffeln"),
    _unit("floz", "volume", _GALLON / 128, en="fluid ounce, fluid ounces, fl oz", de="Flüssigunze, Flüssigunzen"),
    _unit("cup", "volume", _GALLON / 16, en="cup, cups", de="Tasse, Tassen, cups"),
    _unit("pt", "volume", _GALLON / 8, en="pint, pints, pt", de="Pint, Pints"),
    _unit("qt", "volume", _GALLON / 4, en="quart, quarts, qt", de="Quart, Quarts"),
    _unit("gal", "volume", _GALLON, en="gallon, gallons, gal", de="Gallone, Gallonen, gal"),
    _unit("K", "temperature", 1, en="kelvin, kelvin, k, kelvins", de="Kelvin, Kelvin, k"),
    _unit("°C", "temperature", 1, offset=_F("273.15"),
          en="degree Celsius, degrees Celsius, celsius, centigrade, c, degrees centigrade, degrees c, degree c",
          de="Grad Celsius, Grad Celsius, celsius, c, grad c"),
    _unit("°F", "temperature", _F(5, 9), offset=_F("459.67") * _F(5, 9),
          en="degree Fahrenheit, degrees Fahrenheit, fahrenheit, f, degrees f, degree f",
          de="Grad Fahrenheit, Grad Fahrenheit, fahrenheit, f, grad f"),
    _unit("°", "temperature", 1, offset=_F("273.15"), en="degree, degrees", de="Grad, Grad"),
    _unit("m/s", "speed", 1, en="meter per second, meters per second, m/s, metres per second, metre per second",
          de="Meter pro Sekunde, Meter pro Sekunde, m/s, metern pro sekunde"),
    _unit("km/h", "speed", _F(5, 18),
          en="kilometer per hour, kilometers per hour, km/h, kph, kmh, kilometres per hour, kilometers an hour",
          de="Kilometer pro Stunde, Kilometer pro Stunde, km/h, stundenkilometer, stundenkilometern"),
    _unit("mph", "speed", 63_360 * _INCH / 3600, en="mile per hour, miles per hour, mph, miles an hour",
          de="Meile pro Stunde, Meilen pro Stunde, mph"),
    _unit("kn", "speed", _F(1852, 3600), en="knot, knots, kn, kt", de="Knoten, Knoten, kn, kt"),
    _unit("ms", "time", _F(1, 1000), en="millisecond, milliseconds, ms", de="Millisekunde, Millisekunden, ms"),
    _unit("s", "time", 1, en="second, seconds, s, sec, secs", de="Sekunde, Sekunden, s, sek"),
    _unit("min", "time", 60, en="minute, minutes, min, mins, minute's", de="Minute, Minuten, min"),
    _unit("h", "time", 3600, en="hour, hours, h, hr, hrs", de="Stunde, Stunden, h, std"),
    _unit("d", "time", _F(86_400), en="day, days, d", de="Tag, Tage, d, tagen"),
    _unit("wk", "time", _F(604_800), en="week, weeks, wk", de="Woche, Wochen, wochen"),
    _unit("yr", "time", _F(31_536_000), en="year, years, yr", de="Jahr, Jahre, jahren"),
)  # fmt: skip

UNITS = {unit.key: unit for unit in _ALL}
_WORDS: dict[Language, dict[str, Unit]] = {  # a word of two units ("k") belongs to the first
    "en": {name.lower(): unit for unit in reversed(_ALL) for name in unit.names[0]},
    "de": {name.lower(): unit for unit in reversed(_ALL) for name in unit.names[1]},
}
_LONGEST_NAME = 3  # words in "kilometers per hour"


def parse_unit_at(words: Sequence[str], start: int, language: Language) -> tuple[Unit, int] | None:
    """The longest unit name that begins at words[start], and the position after it."""
    for end in range(min(len(words), start + _LONGEST_NAME), start, -1):
        unit = _WORDS[language].get(" ".join(words[start:end]))
        if unit is not None:
            return unit, end
    return None


def parse_unit(text: str, language: Language) -> Unit | None:
    """The whole text as the name of a unit."""
    words = text.split()
    found = parse_unit_at(words, 0, language)
    return found[0] if found and found[1] == len(words) else None
