"""A forecast in Open-Meteo's format, from an address that the owner named. Only the device's place is sent.

Answers a JSON object {"now": {...}, "days": [{...}, …]} in degrees Celsius, percent and WMO weather codes, from today
on (families/unavailable/forecast.py says it in words).
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from typing import Any

from appliance.dialogue.performers import Refused
from appliance.dialogue.types import Memory
from appliance.helpers.http import Away, asked
from appliance.helpers.targets import Target
from appliance.language import Language

log = logging.getLogger(__name__)

NAMES: dict[Language, str] = {"en": "The weather service", "de": "Der Wetterdienst"}
_DAILY = {
    "code": "weather_code",
    "high_c": "temperature_2m_max",
    "low_c": "temperature_2m_min",
    "rain_percent": "precipitation_probability_max",
}


class Weather:
    """place: latitude and longitude in degrees; sent unless the address has a query of its own."""

    def __init__(self, to: Target, place: tuple[float, float], timeout_s: float) -> None:
        self._to, self._timeout_s = to, timeout_s
        self._query = to.query or (
            f"latitude={place[0]:g}&longitude={place[1]:g}&current=temperature_2m,weather_code"
            f"&daily={','.join(_DAILY.values())}&timezone=auto&forecast_days=7"
        )

    async def ask(self, question: str, language: Language, memory: Memory) -> str:
        """The forecast as JSON. Raises Refused when there is none."""
        try:
            async with asked(self._to, "GET", f"?{self._query}", timeout_s=self._timeout_s) as answer:
                return json.dumps(self._forecast(await answer.text()))
        except Away as away:
            log.warning("%s", away)
            raise Refused(f"helper.{away.kind}", name=NAMES[language]) from None

    def _forecast(self, text: str) -> Mapping[str, Any]:
        try:
            found = json.loads(text)
            current, daily = found["current"], found["daily"]
            days = [
                {name: _number(daily[field][at]) for name, field in _DAILY.items()} | {"date": str(day)[:10]}
                for at, day in enumerate(daily["time"][:16])
            ]
            now = {"code": _number(current["weather_code"]), "temperature_c": _number(current["temperature_2m"])}
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise Away("wrong", f"{self._to.name} answers something else than a forecast: {error!r}") from error
        return {"now": now, "days": days}


def _number(value: object) -> int:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise TypeError(f"{value!r:.40} is no number")
    return round(value)
