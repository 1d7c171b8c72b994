"""Hands-free, from the word that wakes to the reply's first sound → bench/results/handsfree.json.

    make bench-handsfree                            # the short form: every sixth command, minutes of sound for the word
    make bench-handsfree ARGS=--whole               # all of it (about an hour of one core)

What it does not measure: people. All speech is synthetic, so its pauses stand where tests/vectors/pauses.*.txt put
them, its hesitations are words read aloud, and its melody never says that a sentence goes on. Nor microphones, rooms
and a Raspberry Pi.
"""
