"""Kitchen sums: what a cup of flour weighs, how long an egg takes, a recipe for more people.

Weights are those of King Arthur's and the USDA's tables, rounded; times are for a household stove.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from appliance.dialogue.families.conversion.skill import of_kitchen
from appliance.dialogue.family import Family
from appliance.dialogue.reading.measures import Quantity
from appliance.dialogue.reading.numerals import parse_number
from appliance.dialogue.reading.spans import QUANTITY, UNIT, SpanReader
from appliance.dialogue.reading.units import UNITS, Unit
from appliance.dialogue.types import Context, Intent, Question, Reply
from appliance.dialogue.utterance import Span, Utterance

_GRAMS_PER_LITRE = {
    "flour": 530, "sugar": 850, "powdered sugar": 480, "brown sugar": 900, "salt": 1200, "butter": 950, "oil": 920,
    "milk": 1030, "water": 1000, "honey": 1420, "rice": 780, "oats": 380, "cocoa": 420, "starch": 540, "cream": 1010,
    "yogurt": 1040, "semolina": 700, "breadcrumbs": 450, "almonds": 400, "baking powder": 900, "syrup": 1380,
    "nuts": 480, "cheese": 480, "raisins": 640, "polenta": 680, "lentils": 800, "jam": 1330, "quinoa": 720,
    "chocolate": 680, "yeast": 620, "vinegar": 1010, "coffee": 350, "pasta": 420,
}  # fmt: skip
_MINUTES: dict[str, dict[str, tuple[int, int]]] = {
    "egg": {"soft": (4, 5), "medium": (6, 7), "hard": (9, 10), "": (7, 7)},
    "pasta": {"soft": (11, 12), "hard": (8, 9), "": (9, 10)}, "spaghetti": {"hard": (8, 8), "": (9, 10)},
    "rice": {"": (15, 18)}, "brown rice": {"": (35, 40)}, "potatoes": {"": (20, 25)}, "carrots": {"": (8, 10)},
    "broccoli": {"soft": (8, 8), "hard": (4, 4), "": (5, 6)}, "cauliflower": {"": (10, 12)},
    "green beans": {"": (8, 10)}, "asparagus": {"": (10, 15)}, "lentils": {"": (25, 30)}, "couscous": {"": (5, 5)},
    "corn": {"": (5, 7)}, "dumplings": {"": (15, 20)}, "sausages": {"": (8, 10)}, "tea": {"": (3, 4)},
    "black tea": {"": (3, 5)}, "green tea": {"": (2, 3)}, "herbal tea": {"": (5, 8)}, "peas": {"": (5, 6)},
    "spinach": {"": (3, 4)}, "quinoa": {"": (15, 15)}, "bulgur": {"": (12, 15)}, "polenta": {"": (5, 10)},
    "brussels sprouts": {"": (10, 12)}, "cabbage": {"": (15, 20)}, "pumpkin": {"": (15, 20)}, "ravioli": {"": (4, 5)},
    "gnocchi": {"": (2, 3)}, "frozen pizza": {"": (12, 15)}, "pizza": {"": (12, 15)}, "steak": {
        "soft": (4, 5), "medium": (6, 8), "hard": (10, 12), "": (6, 8)}, "chicken breast": {"": (20, 25)},
    "salmon": {"": (12, 15)}, "roast chicken": {"": (60, 75)}, "beetroot": {"": (40, 50)}, "chickpeas": {"": (60, 90)},
    "porridge": {"": (5, 5)}, "coffee": {"": (4, 4)}, "fish fingers": {"": (12, 15)}, "fries": {"": (20, 25)},
    "red cabbage": {"": (45, 60)}, "beans": {"": (60, 90)}, "spaetzle": {"": (3, 4)},
}  # fmt: skip


def convert_ingredient(intent: Intent, context: Context) -> Reply:
    amount, unit, what = intent.slots.get("quantity"), intent.slots.get("unit"), str(intent.slots.get("ingredient_key"))
    if what == "None":
        return context.say("cooking.of_what", question=Question(intent, ("ingredient",)))
    density = _GRAMS_PER_LITRE.get(what)
    if not isinstance(amount, Quantity) or density is None:
        return context.say("cooking.unknown")
    if not isinstance(unit, Unit):
        unit = UNITS["g"] if amount.unit.dimension == "volume" else UNITS["cup"]
    source, target = of_kitchen(amount.unit, context), of_kitchen(unit, context)
    litres_per_base = {"volume": Fraction(1), "mass": Fraction(1000, density)}
    if source.dimension not in litres_per_base or target.dimension not in litres_per_base:
        return context.say("cooking.unknown")
    litres = amount.value * source.factor * litres_per_base[source.dimension]
    value = litres / litres_per_base[target.dimension] / target.factor
    if unit.key in ("g", "ml"):
        value = Fraction(round(value))
    name = context.text(f"cooking.of_{what}") if f"cooking.of_{what}" in context.texts else what
    return context.say("cooking.weighs", amount=amount, what=name, result=Quantity(value, unit))


def cooking_time(intent: Intent, context: Context) -> Reply:
    food, style = str(intent.slots.get("food_key", "")), str(intent.slots.get("style", ""))
    times = _MINUTES.get(food)
    if times is None:
        return context.say("cooking.no_time")
    low, high = times.get(style) or times[""]
    name = f"cooking.time_{'one' if low == high else 'range'}"
    return context.say(name, low=low, high=high, length=60.0 * high)


def scale_recipe(intent: Intent, context: Context) -> Reply:
    amount, before, after = intent.slots.get("quantity"), intent.slots.get("from"), intent.slots.get("to")
    if not isinstance(before, (int, Fraction)) or not isinstance(after, (int, Fraction)) or not before:
        return context.say("cooking.for_how_many", question=Question(intent, ("from", "to")))
    factor = Fraction(after) / Fraction(before)
    if isinstance(amount, Quantity):
        return context.say("cooking.scaled", result=Quantity(amount.value * factor, amount.unit))
    if isinstance(amount, (int, Fraction)):
        return context.say(
            "cooking.scaled_number", value=Fraction(amount) * factor, what=str(intent.slots.get("ingredient", ""))
        )
    return context.say("cooking.times", factor=factor)


def _people(slot: str, quality: float) -> SpanReader:
    def read(utterance: Utterance) -> Iterator[Span]:
        for start in range(len(utterance.words)):
            found = parse_number(utterance.words, start, utterance.language)
            if found is not None and found[0].denominator == 1 and found[0] > 0:
                yield Span(start, found[1], {slot: int(found[0])}, quality)

    return read


FAMILY = Family(
    "cooking",
    skills={"ConvertIngredient": convert_ingredient, "CookingTime": cooking_time, "ScaleRecipe": scale_recipe},
    readers={
        "quantity": QUANTITY,
        "unit": UNIT,
        "people_from": _people("from", 0.99),
        "people_to": _people("to", 1.0),
        "count_of": _people("quantity", 0.97),
    },
)
