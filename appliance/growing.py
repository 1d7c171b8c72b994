"""Partial transcripts, which change their mind → words that stay, for protocols in which nothing can be taken back."""

from __future__ import annotations


class Growing:
    """The words of one transcript that two partial ones agreed on, but for the last, which is often half a word."""

    def __init__(self) -> None:
        self.is_begun = False
        """Its owner has told something of it."""
        self._before: list[str] = []
        self._stable: list[str] = []
        self._told = 0

    def heard(self, text: str) -> None:
        """The next partial transcript."""
        words = text.split()
        agreed = 0
        for before, now in zip(self._before, words[:-1], strict=False):
            if before != now:
                break
            agreed += 1
        if agreed > len(self._stable) and words[: len(self._stable)] == self._stable:
            self._stable = words[:agreed]
        self._before = words

    def take(self) -> str:
        """The words that are new, as they continue what was taken before; "" if there are none."""
        words = self._stable[self._told :]
        begun, self._told = self._told > 0, len(self._stable)
        return f"{' ' if begun else ''}{' '.join(words)}" if words else ""

    def rest(self, final: str) -> str:
        """What the final transcript adds. Where it contradicts what was told, only the final one is right: nothing."""
        words = final.split()
        if words[: self._told] != self._stable[: self._told]:
            return ""
        self._stable = words
        return self.take()
