"""Units into one another."""

from __future__ import annotations

from dataclasses import replace

from appliance.dialogue.family import Family
from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.measures import Quantity
from appliance.dialogue.reading.spans import QUANTITY, UNIT
from appliance.dialogue.reading.units import METRIC_SPOONS, UNITS, Unit
from appliance.dialogue.saying.numbers import is_exact, rounded
from appliance.dialogue.types import Context, Intent, Question, Reply


def convert(intent: Intent, context: Context) -> Reply:
    amount, unit = intent.slots.get("quantity"), intent.slots.get("unit")
    if not isinstance(unit, Unit):
        return context.say("conversion.into_what", question=Question(intent, ("unit",)))
    if not isinstance(amount, Quantity):
        return context.say("conversion.how_much", question=Question(intent, ("quantity",)))
    amount, unit = which_degrees(amount, unit)
    if {amount.unit.dimension, unit.dimension} == {"mass", "volume"}:
        weighed = replace(intent, name="ConvertIngredient")
        return context.say("cooking.of_what", question=Question(weighed, ("ingredient",)))
    if amount.unit.dimension != unit.dimension:
        names = grammar(context.language).words.unit_names
        return context.say("conversion.impossible", one=names[amount.unit.key][1], other=names[unit.key][1])
    if unit.dimension == "temperature" and amount.to(UNITS["K"]).value < 0:
        return context.say("conversion.too_cold")
    value = Quantity(amount.value, of_kitchen(amount.unit, context)).to(of_kitchen(unit, context)).value
    result = Quantity(value, unit)
    both_one = rounded(amount.value) == 1 and rounded(value) == 1
    one_thing = unit.dimension == "temperature" or rounded(amount.value) == 1
    single = both_one or one_thing and context.text("conversion.one_is") == "is"
    exact = "exact" if is_exact(value) else "about"
    return context.say(f"conversion.{exact}_{'is' if single else 'are'}", amount=amount, result=result)


def of_kitchen(unit: Unit, context: Context) -> Unit:
    """Spoons and cups as the language's kitchens mean them."""
    metric = grammar(context.language).words.table.get("metric_spoons")
    return METRIC_SPOONS.get(unit.key, unit) if metric else unit


def which_degrees(amount: Quantity, unit: Unit) -> tuple[Quantity, Unit]:
    """ "20 degrees in Fahrenheit" means Celsius, "70 degrees in Celsius" means Fahrenheit."""
    if amount.unit.key == "°":
        amount = Quantity(amount.value, UNITS["°F" if unit.key == "°C" else "°C"])
    if unit.key == "°":
        unit = UNITS["°C" if amount.unit.key == "°F" else "°F"]
    return amount, unit


FAMILY = Family("conversion", skills={"Convert": convert}, readers={"quantity": QUANTITY, "unit": UNIT})
