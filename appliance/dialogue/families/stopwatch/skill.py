"""One stopwatch for the house. It survives a restart, because it only remembers when it was started."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from appliance.dialogue.actions import Keep
from appliance.dialogue.family import Family
from appliance.dialogue.types import Context, Intent, Reply


def start(intent: Intent, context: Context) -> Reply:
    state = _state(context)
    if state["since"] is not None:
        return context.say("stopwatch.runs_already", time=_elapsed(state, context))
    again = state["before_s"] > 0
    kept = {**state, "since": context.now.timestamp()}
    return context.say("stopwatch.goes_on" if again else "stopwatch.started", actions=[Keep("stopwatch", kept)])


def stop(intent: Intent, context: Context) -> Reply:
    state = _state(context)
    if state["since"] is None:
        return _stands(state, context)
    elapsed = _elapsed(state, context)
    kept = {"since": None, "before_s": elapsed, "lap_s": state["lap_s"]}
    return context.say("stopwatch.stopped", time=elapsed, actions=[Keep("stopwatch", kept)])


def status(intent: Intent, context: Context) -> Reply:
    state = _state(context)
    return (
        _stands(state, context)
        if state["since"] is None
        else context.say("stopwatch.at", time=_elapsed(state, context))
    )


def reset(intent: Intent, context: Context) -> Reply:
    if not context.kept.get("stopwatch"):
        return context.say("stopwatch.not_running")
    return context.say("stopwatch.reset", actions=[Keep("stopwatch", None)])


def lap(intent: Intent, context: Context) -> Reply:
    state = _state(context)
    if state["since"] is None:
        return context.say("stopwatch.not_running")
    elapsed = _elapsed(state, context)
    return context.say(
        "stopwatch.lap",
        lap=max(0.0, elapsed - state["lap_s"]),
        time=elapsed,
        actions=[Keep("stopwatch", {**state, "lap_s": elapsed})],
    )


def _state(context: Context) -> dict[str, Any]:
    """since: Unix time of the start, None while it stands; before_s: what it showed then; lap_s: at the last lap."""
    return {"since": None, "before_s": 0.0, "lap_s": 0.0, **(context.kept.get("stopwatch") or {})}


def _elapsed(state: dict[str, Any], context: Context) -> float:
    since = state["since"]
    if since is None:
        return float(state["before_s"])
    return float(state["before_s"]) + max(0.0, context.now.timestamp() - datetime.fromtimestamp(since).timestamp())


def _stands(state: dict[str, Any], context: Context) -> Reply:
    if not state["before_s"]:
        return context.say("stopwatch.not_running")
    return context.say("stopwatch.stands", time=float(state["before_s"]))


FAMILY = Family(
    "stopwatch",
    skills={
        "StartStopwatch": start,
        "StopStopwatch": stop,
        "StopwatchStatus": status,
        "ResetStopwatch": reset,
        "LapStopwatch": lap,
    },
    acts=frozenset({"StartStopwatch", "StopStopwatch", "ResetStopwatch", "LapStopwatch"}),
    thing="stopwatch.stopwatch",
    stops="StopStopwatch",
    actions=(Keep,),
)
