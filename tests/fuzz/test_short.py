"""A short run of every fuzz target, the same each time; `make fuzz` is the long one, guided by coverage."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from tests.fuzz.targets import SEEDS, TARGETS

CASES = 4_000
PIECES = (
    b"\r\n",
    b"\r\n\r\n",
    b"Host: ",
    b"Content-Length: ",
    b"chunked",
    b"\0",
    b"\xff",
    b"{",
    b'"',
    b"[[",
    b"HTTP/1.1",
    b"websocket",
    b"\x82\x80",
    b"\x89\x80",
    b"\xfe\xff\xff",
    b"\xff" * 9,
    b"Bearer ",
    b"1e999",
    b"\\ud800",
)


def changed(dice: random.Random, data: bytes) -> bytes:
    """Some bytes flipped, left out, doubled or replaced by what readers stumble over."""
    content = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        place = dice.randint(0, len(content))
        match dice.randrange(4):
            case 0:
                content[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                del content[place : place + dice.randint(1, 8)]
            case 2:
                content[place:place] = content[place : place + dice.randint(1, 40)]
            case _:
                content[place:place] = dice.choice(PIECES)
    return bytes(content[:4096])


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_survives_what_is_thrown_at_it_and_keeps_nothing(target: str) -> None:
    dice, seeds = random.Random(8), list(SEEDS[target])
    run = TARGETS[target]
    tracemalloc.start()
    for number in range(CASES):
        case = changed(dice, dice.choice(seeds))
        run(case)
        if number % 10 == 0:
            seeds = [*SEEDS[target], *seeds[-40:], case]
        if number == CASES // 2:
            before = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 500_000
