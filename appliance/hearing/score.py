"""How much of what was said was heard."""

from __future__ import annotations

WRITTEN_OTHERWISE = {
    "pm": "p m",
    "nevermind": "never mind",
    "nochmal": "noch mal",
    "stopp": "stop",
    "viertelstunde": "viertel stunde",
    "dreiviertelstunde": "dreiviertel stunde",
}
"""What is right however it is written: it sounds the same."""


def word_errors(reference: str, heard: str) -> tuple[int, int]:
    """(errors, words) by Levenshtein distance over words, the word error rate's numerator and denominator."""
    expected, found = (
        " ".join(WRITTEN_OTHERWISE.get(word, word) for word in text.split()).split() for text in (reference, heard)
    )
    row = list(range(len(found) + 1))
    for i, word in enumerate(expected, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1], len(expected)
