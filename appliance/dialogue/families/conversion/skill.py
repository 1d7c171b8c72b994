"""Units into one another."""

from __future__ import annotations

from appliance.dialogue.family import Family
from appliance.dialogue.reading.measures import Quantity, parse_quantity
from appliance.dialogue.reading.readers import one, read_unit_and_quantity
from appliance.dialogue.reading.units import UNITS, Unit, parse_unit
from appliance.dialogue.saying.spoken import capitalised, is_exact, quantity, reply, rounded
from appliance.dialogue.types import Context, Intent, Reply


def convert(intent: Intent, context: Context) -> Reply:
    amount, unit = intent.slots["quantity"], intent.slots["unit"]
    if not isinstance(amount, Quantity) or not isinstance(unit, Unit):
        raise TypeError(f"cannot convert {amount!r} into {unit!r}")
    amount, unit = _which_degrees(amount, unit)
    if amount.unit.dimension != unit.dimension:
        from_name, to_name = (each.name(context.language, plural=True) for each in (amount.unit, unit))
        return reply(
            context,
            en=f"{capitalised(from_name)} cannot be converted to {to_name}.",
            de=f"{capitalised(from_name)} kann man nicht in {to_name} umrechnen.",
        )
    if unit.dimension == "temperature" and amount.to(UNITS["K"]).value < 0:
        return reply(context, en="Nothing can be that cold.", de="So kalt kann nichts sein.")
    result = amount.to(unit)
    exact = is_exact(result.value)
    single = rounded(amount.value) == 1 or unit.dimension == "temperature"
    en = f"{quantity(amount, 'en')} {'is' if single else 'are'} {'' if exact else 'about '}{quantity(result, 'en')}"
    verb = "ist" if rounded(amount.value) == rounded(result.value) == 1 else "sind"  # "ein Pfund sind 500 Gramm"
    de = f"{quantity(amount, 'de')} {verb} {'' if exact else 'etwa '}{quantity(result, 'de')}"
    return reply(context, en=f"{capitalised(en)}.", de=f"{capitalised(de)}.")


def _which_degrees(amount: Quantity, unit: Unit) -> tuple[Quantity, Unit]:
    """ "20 degrees in Fahrenheit" means Celsius, "70 degrees in Celsius" means Fahrenheit."""
    if amount.unit.key == "°":
        amount = Quantity(amount.value, UNITS["°F" if unit.key == "°C" else "°C"])
    if unit.key == "°":
        unit = UNITS["°C" if amount.unit.key == "°F" else "°F"]
    return amount, unit


FAMILY = Family(
    "conversion",
    skills={
        "Convert": convert,
    },
    readers={
        "quantity": one("quantity", parse_quantity), "unit": one("unit", parse_unit),
        "unit_and_quantity": read_unit_and_quantity,
    },
)
