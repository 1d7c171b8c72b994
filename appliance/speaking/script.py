"""What is to be said, clause by clause, whether it is written already or still being written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from appliance.language import Language
from appliance.speaking.clauses import clauses, complete


class Script:
    """A text, or its pieces, which may end anywhere. Once it is cut, `last` is said instead of the rest."""

    def __init__(
        self, text: str | AsyncIterator[str], language: Language, last: str, *, is_begun: bool = False
    ) -> None:
        self.is_cut = False
        self._text, self._language, self._last = text, language, last
        self._begun = is_begun

    async def clauses(self) -> AsyncGenerator[str, None]:
        """Each as soon as it is complete. Use it under contextlib.aclosing."""
        unspoken = self._text if isinstance(self._text, str) else ""
        async for piece in self._written():
            unspoken += piece
            end = complete(unspoken, self._language, is_begun=self._begun)
            for clause in self._next(unspoken[:end]):
                yield clause
            unspoken = unspoken[end:]
            if self.is_cut:
                break
        for clause in self._next(unspoken):
            yield clause
        if self.is_cut:
            yield self._last

    async def _written(self) -> AsyncIterator[str]:
        if not isinstance(self._text, str):
            async for piece in self._text:
                yield piece

    def _next(self, text: str) -> Iterator[str]:
        for clause in clauses(text, self._language, is_begun=self._begun):
            if self.is_cut:
                return
            self._begun = True
            yield clause
