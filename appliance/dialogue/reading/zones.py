"""Cities and countries to time zones, in the names of Unicode's CLDR and some that people use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from babel import Locale
from babel.core import get_global

from appliance.dialogue.languages import grammar
from appliance.dialogue.utterance import Span, Utterance
from appliance.language import Language

_MAIN = {
    "US": "America/New_York", "CA": "America/Toronto", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo",
    "RU": "Europe/Moscow", "CN": "Asia/Shanghai", "MX": "America/Mexico_City", "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty", "MN": "Asia/Ulaanbaatar", "ES": "Europe/Madrid", "PT": "Europe/Lisbon",
    "CL": "America/Santiago", "AR": "America/Argentina/Buenos_Aires", "NZ": "Pacific/Auckland", "UA": "Europe/Kyiv",
    "DE": "Europe/Berlin", "EC": "America/Guayaquil", "MY": "Asia/Kuala_Lumpur", "CD": "Africa/Kinshasa",
    "IN": "Asia/Kolkata", "GL": "America/Nuuk", "VN": "Asia/Ho_Chi_Minh", "UZ": "Asia/Tashkent",
}  # fmt: skip
"""Where a country has several zones, the one most people live in; and zones that CLDR calls by their old names."""
_RENAMED = {
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Europe/Kiev": "Europe/Kyiv",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "Asia/Rangoon": "Asia/Yangon",
    "Atlantic/Faeroe": "Atlantic/Faroe",
}
_LONGEST = 4


@cache
def places(language: Language) -> dict[str, tuple[str, str]]:
    """Name in lower case to its zone and how the place is written."""
    locale = Locale(language)
    found: dict[str, tuple[str, str]] = {}
    for territory, zones in get_global("territory_zones").items():
        name = locale.territories.get(territory)
        zone = _MAIN.get(territory) or (zones[0] if zones else None)
        if name and zone and len(territory) == 2:
            found[name.lower()] = (_RENAMED.get(zone, zone), name)
        for zone in zones:
            city = locale.time_zones.get(zone, {}).get("city") or zone.rpartition("/")[2].replace("_", " ")
            found.setdefault(city.lower(), (_RENAMED.get(zone, zone), city))
    for zone, names in grammar(language).words.table.get("places", {}).items():
        for name in names.split(", "):
            found[name.lower()] = (zone, name)
    return found


def zones(utterance: Utterance) -> Iterator[Span]:
    """A place or the name of a zone: slots `zone` (IANA) and `place` (as it is written)."""
    table = places(utterance.language)
    for start in range(len(utterance.words)):
        for end in range(min(len(utterance.words), start + _LONGEST), start, -1):
            found = table.get(utterance.text(start, end))
            if found is not None:
                yield Span(start, end, {"zone": found[0], "place": found[1]})
                break


def from_zones(utterance: Utterance) -> Iterator[Span]:
    """The place that another one is compared with."""
    for span in zones(utterance):
        yield Span(span.start, span.end, {"from_zone": span.slots["zone"], "from_place": span.slots["place"]}, 0.99)
