"""What is to be said, clause by clause, whether it is written already or still being written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator

from appliance.errors import ModelError
from appliance.language import Language
from appliance.limits import REPLY_RATES
from appliance.speaking.clauses import clauses, complete
from appliance.speaking.languages import reading


def refuse_unless_spoken(language: Language, spoken: Collection[Language], rate: int) -> None:
    """Raises ModelError for a language without a voice, ValueError for a rate outside REPLY_RATES."""
    if language not in spoken:
        raise ModelError(f"no voice for language '{language}', only for: {', '.join(spoken) or 'none'}")
    lowest, highest = REPLY_RATES
    if not lowest <= rate <= highest:
        raise ValueError(f"rate {rate} Hz, expected {lowest} to {highest}")


class Script:
    """A text, or its pieces, which may end anywhere. Once it is cut, `last` is said instead of the rest, to say so."""

    def __init__(self, text: str | AsyncIterator[str], language: Language, *, is_begun: bool = False) -> None:
        self.is_cut = False
        self._text, self._language = text, language
        self.last = reading(language).left_out
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
            yield self.last

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
