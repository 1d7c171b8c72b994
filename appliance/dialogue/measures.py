"""Units of measurement, quantities ("ten miles") and durations ("anderthalb Stunden") in English and German.

Factors are exact by definition: the international yard and pound (1959), the US gallon (231 cubic inches), the
calorie-free rest of the SI. A German "Pfund" is half a kilogram, as on every market.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from appliance.dialogue.numbers import parse_number, word_at
from appliance.dialogue.types import Language


@dataclass(frozen=True)
class Unit:
    """One unit; a value in it times `factor` plus `offset` is the value in the base unit of its dimension."""

    key: str
    dimension: str
    factor: Fraction
    offset: Fraction
    names: tuple[tuple[str, str], tuple[str, str]]
    """(singular, plural) in English and in German."""

    def name(self, language: Language, *, plural: bool) -> str:
        return self.names[language == "de"][plural]

    def __str__(self) -> str:
        return self.key


_F = Fraction
_INCH = _F(254, 10_000)
_GALLON = 231 * _INCH**3 * 1000  # litres
_OUNCE = _F("0.45359237") / 16

# key | dimension | factor to the base unit | offset | English one, many | German one, many | further words
_TABLE: tuple[tuple[str, str, Fraction, Fraction, str, str, str, str], ...] = (
    ("mm", "length", _F(1, 1000), _F(0), "millimeter millimeters", "Millimeter Millimeter", "mm millimetre millimetres", "mm millimetern"),
    ("cm", "length", _F(1, 100), _F(0), "centimeter centimeters", "Zentimeter Zentimeter", "cm centimetre centimetres", "cm zentimetern"),
    ("m", "length", _F(1), _F(0), "meter meters", "Meter Meter", "m metre metres", "m metern"),
    ("km", "length", _F(1000), _F(0), "kilometer kilometers", "Kilometer Kilometer", "km k kilometre kilometres", "km kilometern"),
    ("in", "length", _INCH, _F(0), "inch inches", "Zoll Zoll", "", "inch"),
    ("ft", "length", 12 * _INCH, _F(0), "foot feet", "Fuß Fuß", "ft", "ft fuss füße füßen fuße"),
    ("yd", "length", 36 * _INCH, _F(0), "yard yards", "Yard Yards", "yd yds", "yd"),
    ("mi", "length", 63_360 * _INCH, _F(0), "mile miles", "Meile Meilen", "mi", "mi"),
    ("nmi", "length", _F(1852), _F(0), "nautical_mile nautical_miles", "Seemeile Seemeilen", "nmi", "nautische_meile nautische_meilen nautischen_meilen"),
    ("mg", "mass", _F(1, 10**6), _F(0), "milligram milligrams", "Milligramm Milligramm", "mg", "mg"),
    ("g", "mass", _F(1, 1000), _F(0), "gram grams", "Gramm Gramm", "g gramme grammes", "g"),
    ("kg", "mass", _F(1), _F(0), "kilogram kilograms", "Kilogramm Kilogramm", "kg kilo kilos", "kg kilo kilos"),
    ("t", "mass", _F(1000), _F(0), "tonne tonnes", "Tonne Tonnen", "t metric_ton metric_tons", "t"),
    ("oz", "mass", _OUNCE, _F(0), "ounce ounces", "Unze Unzen", "oz", "oz"),
    ("lb", "mass", 16 * _OUNCE, _F(0), "pound pounds", "englisches_Pfund englische_Pfund", "lb lbs", "lb lbs englischen_pfund"),
    ("st", "mass", 224 * _OUNCE, _F(0), "stone stone", "Stone Stone", "stones", "stones"),
    ("pfund", "mass", _F(1, 2), _F(0), "German_pound German_pounds", "Pfund Pfund", "", "pfunde pfunden"),
    ("ml", "volume", _F(1, 1000), _F(0), "milliliter milliliters", "Milliliter Milliliter", "ml millilitre millilitres", "ml millilitern"),
    ("cl", "volume", _F(1, 100), _F(0), "centiliter centiliters", "Zentiliter Zentiliter", "cl centilitre centilitres", "cl zentilitern"),
    ("l", "volume", _F(1), _F(0), "liter liters", "Liter Liter", "l litre litres", "l litern"),
    ("tsp", "volume", _GALLON / 768, _F(0), "teaspoon teaspoons", "Teelöffel Teelöffel", "tsp", "tl teelöffeln"),
    ("tbsp", "volume", _GALLON / 256, _F(0), "tablespoon tablespoons", "Esslöffel Esslöffel", "tbsp", "el esslöffeln"),
    ("floz", "volume", _GALLON / 128, _F(0), "fluid_ounce fluid_ounces", "Flüssigunze Flüssigunzen", "fl_oz", ""),
    ("cup", "volume", _GALLON / 16, _F(0), "cup cups", "Tasse Tassen", "", "cups"),
    ("pt", "volume", _GALLON / 8, _F(0), "pint pints", "Pint Pints", "pt", ""),
    ("qt", "volume", _GALLON / 4, _F(0), "quart quarts", "Quart Quarts", "qt", ""),
    ("gal", "volume", _GALLON, _F(0), "gallon gallons", "Gallone Gallonen", "gal", "gal"),
    ("K", "temperature", _F(1), _F(0), "kelvin kelvin", "Kelvin Kelvin", "k kelvins", "k"),
    ("°C", "temperature", _F(1), _F("273.15"), "degree_Celsius degrees_Celsius", "Grad_Celsius Grad_Celsius", "celsius centigrade c degrees_centigrade degrees_c degree_c", "celsius c grad_c"),
    ("°F", "temperature", _F(5, 9), _F("459.67") * _F(5, 9), "degree_Fahrenheit degrees_Fahrenheit", "Grad_Fahrenheit Grad_Fahrenheit", "fahrenheit f degrees_f degree_f", "fahrenheit f grad_f"),
    ("°", "temperature", _F(1), _F("273.15"), "degree degrees", "Grad Grad", "", ""),
    ("m/s", "speed", _F(1), _F(0), "meter_per_second meters_per_second", "Meter_pro_Sekunde Meter_pro_Sekunde", "m/s metres_per_second metre_per_second", "m/s metern_pro_sekunde"),
    ("km/h", "speed", _F(5, 18), _F(0), "kilometer_per_hour kilometers_per_hour", "Kilometer_pro_Stunde Kilometer_pro_Stunde", "km/h kph kmh kilometres_per_hour kilometers_an_hour", "km/h kmh stundenkilometer stundenkilometern kilometern_pro_stunde"),
    ("mph", "speed", 63_360 * _INCH / 3600, _F(0), "mile_per_hour miles_per_hour", "Meile_pro_Stunde Meilen_pro_Stunde", "mph miles_an_hour", "mph"),
    ("kn", "speed", _F(1852, 3600), _F(0), "knot knots", "Knoten Knoten", "kn kt", "kn kt"),
    ("ms", "time", _F(1, 1000), _F(0), "millisecond milliseconds", "Millisekunde Millisekunden", "ms", "ms"),
    ("s", "time", _F(1), _F(0), "second seconds", "Sekunde Sekunden", "s sec secs", "s sek"),
    ("min", "time", _F(60), _F(0), "minute minutes", "Minute Minuten", "min mins minute's", "min"),
    ("h", "time", _F(3600), _F(0), "hour hours", "Stunde Stunden", "h hr hrs", "h std"),
    ("d", "time", _F(86_400), _F(0), "day days", "Tag Tage", "d", "d tagen"),
    ("wk", "time", _F(604_800), _F(0), "week weeks", "Woche Wochen", "wk", "wochen"),
    ("yr", "time", _F(31_536_000), _F(0), "year years", "Jahr Jahre", "yr", "jahren"),
)  # fmt: skip
# fmt: off
_MAX_UNIT_WORDS = 3


def _read_table() -> tuple[dict[str, Unit], dict[Language, dict[str, Unit]]]:
    units: dict[str, Unit] = {}
    words: dict[Language, dict[str, Unit]] = {"en": {}, "de": {}}
    for key, dimension, factor, offset, english, german, more_english, more_german in _TABLE:
        names = [tuple(name.replace("_", " ") for name in pair.split()) for pair in (english, german)]
        unit = Unit(key, dimension, factor, offset, ((names[0][0], names[0][1]), (names[1][0], names[1][1])))
        units[key] = unit
        for language, listed in (("en", f"{english} {more_english}"), ("de", f"{german} {more_german}")):
            for word in listed.lower().split():
                words["de" if language == "de" else "en"].setdefault(word.replace("_", " "), unit)
    return units, words
# fmt: on


UNITS, _UNIT_WORDS = _read_table()


@dataclass(frozen=True)
class Quantity:
    value: Fraction
    unit: Unit

    def to(self, unit: Unit) -> Quantity:
        """The same in another unit of the same dimension. Raises ValueError for metres in kilograms."""
        if unit.dimension != self.unit.dimension:
            raise ValueError(f"{self.unit.key} measures {self.unit.dimension}, {unit.key} measures {unit.dimension}")
        base = self.value * self.unit.factor + self.unit.offset
        return Quantity((base - unit.offset) / unit.factor, unit)

    def __str__(self) -> str:
        return f"{self.value} {self.unit.key}"


def parse_unit_at(words: Sequence[str], start: int, language: Language) -> tuple[Unit, int] | None:
    for end in range(min(len(words), start + _MAX_UNIT_WORDS), start, -1):
        unit = _UNIT_WORDS[language].get(" ".join(words[start:end]))
        if unit is not None:
            return unit, end
    return None


def parse_unit(text: str, language: Language) -> Unit | None:
    """The whole text as the name of a unit."""
    words = text.split()
    if words and words[0] in ("degrees", "degree", "grad") and len(words) > 1:
        words = words[1:]
    found = parse_unit_at(words, 0, language)
    return found[0] if found and found[1] == len(words) else None


def parse_quantity(text: str, language: Language) -> Quantity | None:
    """The whole text as a number and a unit: "two and a half miles", "minus ten degrees celsius", "einem Pfund"."""
    words = text.split()
    negative = bool(words) and words[0] in ("minus", "negative", "-")
    if negative:
        words = words[1:]
    elif words and words[0].startswith("-") and len(words[0]) > 1:
        negative, words = True, [words[0][1:], *words[1:]]
    if words and words[0] == "the" and len(words) > 1:
        words = words[1:]
    found = parse_number(words, 0, language)
    if found is None and words and words[0] in ("a", "an"):
        found = Fraction(1), 1
    if found is None:
        return None
    value, position = found
    while position < len(words) and words[position] in ("a", "an", "of"):  # "half a mile", "a quarter of an inch"
        position += 1
    unit = parse_unit_at(words, position, language)
    if unit is None or unit[1] != len(words):
        return None
    return Quantity(-value if negative else value, unit[0])


# Durations

def parse_duration_at(words: Sequence[str], start: int, language: Language) -> tuple[float, int] | None:
    """Seconds and the next position for the duration that begins at words[start]; None if there is none.

    "an hour and a half", "two minutes and thirty seconds", "five minutes thirty", "eine Dreiviertelstunde".
    """
    total, position, smallest = Fraction(0), start, Fraction(10**9)
    while (step := _duration_step(words, position, language, smallest)) is not None:
        seconds, position, smallest = step
        total += seconds
    if not total:
        return None
    return float(total), position


def _duration_step(
    words: Sequence[str], position: int, language: Language, smallest: Fraction
) -> tuple[Fraction, int, Fraction] | None:
    """One "number unit" of a duration, with units getting smaller: seconds, next position, unit's seconds."""
    later = smallest < 10**9
    if later and word_at(words, position) in ("and", "und"):
        position += 1
    found = parse_number(words, position, language)
    if found is None and word_at(words, position) in ("a", "an"):
        found = Fraction(1), position + 1
    if found is None:
        return None
    value, after = found
    while word_at(words, after) in ("a", "an", "of"):
        after += 1
    unit = parse_unit_at(words, after, language)
    if unit is None or unit[0].dimension != "time":
        if later and value < 1 and found[1] > position:  # "an hour and a half"
            return value * smallest, found[1], Fraction(0)
        if later and smallest in (60, 3600) and value < 60 and found[1] == len(words):  # "five minutes thirty"
            return value * smallest / 60, found[1], Fraction(0)
        return None
    if unit[0].factor >= smallest:
        return None
    return value * unit[0].factor, unit[1], unit[0].factor


def parse_duration(text: str, language: Language) -> float | None:
    """The whole text as a duration in seconds, more than 0."""
    words = text.split()
    found = parse_duration_at(words, 0, language)
    return found[0] if found and found[1] == len(words) else None
