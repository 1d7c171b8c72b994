"""Hands-free, from the word that wakes to the reply's first sound → bench/results/handsfree.json.

    make bench-handsfree                                # all of it, in one run: a quarter of an hour on one core
    make bench-handsfree ARGS="--every 8 --hours 0.5"   # a short form of it

What it does not measure: people. All speech is synthetic, so its pauses stand where tests/vectors/pauses.*.txt put
them, its hesitations are words read aloud, and its melody never says that a sentence goes on. Nor microphones, rooms
and a Raspberry Pi.
"""
