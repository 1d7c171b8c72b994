"""How far a model is that somebody asked for."""

from __future__ import annotations

from pathlib import Path

from appliance.models.catalogue import CATALOGUE
from appliance.models.fetching import Fetching

MODEL = next(model for model in CATALOGUE if model.source)


async def test_it_is_told_when_it_begins_and_when_it_is_here(tmp_path: Path) -> None:
    told: list[float] = []

    async def fetch(names: list[str], directory: Path) -> None:
        (directory / names[0]).mkdir()

    fetching = Fetching(tmp_path, lambda: told.append(fetching.shares[MODEL.name]), fetch)
    await fetching.get(MODEL.name)
    assert told == [0.0, 1.0]


async def test_one_that_could_not_be_fetched_says_so_and_may_be_tried_again(tmp_path: Path) -> None:
    calls = 0

    async def fetch(names: list[str], directory: Path) -> None:
        nonlocal calls
        calls += 1

    fetching = Fetching(tmp_path, lambda: None, fetch)
    await fetching.get(MODEL.name)
    assert fetching.shares == {MODEL.name: -1.0}
    await fetching.get(MODEL.name)
    await fetching.get("unknown")
    assert calls == 2
