"""People speak while something dies; the long form is `make chaos`."""

from __future__ import annotations

import asyncio

from tests.farm import chaos
from tests.support.crowd import crowd

FAULTS = ("worker killed", "worker frozen", "Redis killed")


def test_whatever_dies_every_sentence_is_heard_once_as_if_nothing_had() -> None:
    spoken = [file.read_bytes() for file in crowd(5)]
    figures = asyncio.run(chaos.run(len(FAULTS), spoken, seed=7, faults=FAULTS))
    assert (figures.rounds, figures.turns) == (3, 15)
    assert (figures.lost, figures.twice, figures.wrong) == (0, 0, 0), figures
