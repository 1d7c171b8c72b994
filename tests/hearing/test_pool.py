"""Vosk behind the pool: the same words whatever the chunks, the history and the company; order; cancellation."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.audio.pcm import RATE
from appliance.errors import ModelError
from appliance.hearing import vosk as recognizer
from appliance.hearing.pool import PATIENCE_S, RecognizerPool, default_limit, urgency
from appliance.hearing.vosk import is_composed_lazily
from appliance.models.whole import CONTENTS
from appliance.workers import Workers
from tests.support.kit import Chunks, cut, cut_randomly, samples, transcribe
from tests.support.speech import word_errors

Speech = dict[str, bytes]

PERSON = Path("/usr/share/pocketsphinx/test/data/goforward.raw")  # Debian: pocketsphinx-testdata


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(1, "test-hear")
    yield workers
    workers.close()


class Live:
    """A Source that the test writes into."""

    rate = RATE

    def __init__(self) -> None:
        self.ended = False
        self._pcm = b""
        self._arrived = asyncio.Event()

    def write(self, pcm: bytes) -> None:
        self._pcm += pcm
        self._arrived.set()

    def end(self) -> None:
        self.ended = True
        self._arrived.set()

    async def read(self) -> bytes:
        while not self._pcm and not self.ended:
            self._arrived.clear()
            await self._arrived.wait()
        pcm, self._pcm = self._pcm, b""
        return pcm


async def test_commands_are_heard_word_for_word(pool: RecognizerPool, speech: Speech) -> None:
    errors = words = 0
    for sentence, pcm in speech.items():
        wrong, count = word_errors(sentence, (await transcribe(pool, pcm)).text)
        errors, words = errors + wrong, words + count
    assert errors / words < 0.10


async def test_a_transcript_does_not_depend_on_the_chunks(pool: RecognizerPool, speech: Speech) -> None:
    assert len(speech) >= 60
    for number, (sentence, pcm) in enumerate(speech.items()):
        whole = await transcribe(pool, pcm, len(pcm))
        for chunks in (cut(pcm, 1024), cut(pcm, 512), cut_randomly(pcm, number)):
            final = await pool.transcribe(Chunks(chunks), "en", on_partial=lambda _: None)
            assert (sentence, final.text, final.words) == (sentence, whole.text, whole.words)


async def test_a_transcript_does_not_depend_on_the_company(pool: RecognizerPool, speech: Speech) -> None:
    alone = [(await transcribe(pool, pcm)).text for pcm in speech.values()]
    together = await asyncio.gather(*(transcribe(pool, pcm) for pcm in speech.values()))
    assert [final.text for final in together] == alone


async def test_word_times_begin_with_the_utterance(pool: RecognizerPool, speech: Speech) -> None:
    pcm = speech["turn on the kitchen light"]
    for _ in range(6):  # more than there are recognizers
        final = await transcribe(pool, pcm)
        assert [word.text for word in final.words] == final.text.split()
        assert 0.1 < final.words[0].start_s < 0.6
        assert final.words[-1].end_s < final.audio_s == pytest.approx(len(pcm) / 2 / RATE)
        assert all(a.end_s <= b.start_s + 0.02 for a, b in zip(final.words, final.words[1:], strict=False))
        assert 0.5 < final.confidence <= 1.0


async def test_quiet_speech_is_heard_as_well(pool: RecognizerPool, speech: Speech) -> None:
    errors = words = 0
    for sentence, pcm in list(speech.items())[:30]:
        quiet = (samples(pcm) * 10 ** (-36 / 20)).astype("<i2").tobytes()
        wrong, count = word_errors(sentence, (await transcribe(pool, quiet)).text)
        errors, words = errors + wrong, words + count
    assert errors / words < 0.15


@pytest.mark.parametrize("pcm", [b"", bytes(2), bytes(640), bytes(4 * RATE)], ids=["none", "one", "20 ms", "2 s"])
async def test_silence_is_no_words(pool: RecognizerPool, pcm: bytes) -> None:
    final = await transcribe(pool, pcm)
    assert (final.text, final.words, final.confidence) == ("", (), 0.0)
    assert final.audio_s == len(pcm) / 2 / RATE


async def test_full_scale_noise_does_not_wrap_around(pool: RecognizerPool, speech: Speech) -> None:
    pcm = speech["what time is it"]
    loud = np.clip(samples(pcm).astype(np.int32) * 3, -32768, 32767).astype("<i2").tobytes()
    assert (await transcribe(pool, loud)).text == "what time is it"


async def test_a_pause_does_not_end_an_utterance(pool: RecognizerPool, speech: Speech) -> None:
    pcm = speech["good morning"] + bytes(3 * 2 * RATE) + speech["what time is it"]
    assert (await transcribe(pool, pcm)).text == "good morning what time is it"


async def test_partial_transcripts_grow_while_the_person_speaks(model: Path, workers: Workers, speech: Speech) -> None:
    pool = RecognizerPool({"en": model}, workers, partial_interval_s=0)
    await pool.open()
    heard: list[str] = []
    chunks = Chunks(cut(speech["turn on the kitchen light"], 3200))
    final = await pool.transcribe(chunks, "en", on_partial=heard.append)
    assert len(heard) >= 3
    assert all(a != b for a, b in zip(heard, heard[1:], strict=False))
    assert heard[-1].split()[0] == final.text.split()[0]


async def test_utterances_wait_in_order_and_are_told_their_place(model: Path, workers: Workers, speech: Speech) -> None:
    pool = RecognizerPool({"en": model}, workers, limit=1)
    await pool.open()
    sources = [Live() for _ in range(4)]
    places: list[list[int]] = [[] for _ in sources]
    tasks = []
    for source, told in zip(sources, places, strict=True):
        tasks.append(
            asyncio.create_task(pool.transcribe(source, "en", on_partial=lambda _: None, on_place=told.append))
        )
        await asyncio.sleep(0)
    assert (pool.stats.in_use, pool.stats.waiting, pool.stats.made) == (1, 3, 1)
    for source, sentence in zip(reversed(sources), reversed(list(speech)[:4]), strict=True):
        source.write(speech[sentence])
        source.end()
    done = [await task for task in tasks]
    assert [final.text for final in done] == [(await transcribe(pool, speech[s])).text for s in list(speech)[:4]]
    assert places == [[], [1], [2, 1], [3, 2, 1]]
    assert (pool.stats.in_use, pool.stats.waiting, pool.stats.made) == (0, 0, 1)


async def test_an_utterance_that_gives_up_waiting_lets_the_others_move_up(
    model: Path, workers: Workers, speech: Speech
) -> None:
    pool = RecognizerPool({"en": model}, workers, limit=1)
    await pool.open()
    first, places = Live(), list[int]()
    speaking = asyncio.create_task(pool.transcribe(first, "en", on_partial=lambda _: None))
    await asyncio.sleep(0)
    leaving = asyncio.create_task(pool.transcribe(Live(), "en", on_partial=lambda _: None))
    await asyncio.sleep(0)
    source = Chunks(cut(speech["good morning"], 1024))
    staying = asyncio.create_task(pool.transcribe(source, "en", on_partial=lambda _: None, on_place=places.append))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert places == [2, 1]
    first.end()
    assert (await speaking).text == ""
    assert (await staying).text == "good morning"


async def test_recognizers_are_made_once_and_used_again(model: Path, workers: Workers, speech: Speech) -> None:
    pool = RecognizerPool({"en": model}, workers, limit=3)
    await pool.open()
    pcm = speech["good morning"]
    await asyncio.gather(*(transcribe(pool, pcm) for _ in range(12)))
    stats = pool.stats
    assert (stats.made, stats.in_use, stats.waiting, stats.limit) == (3, 0, 0, 3)
    assert stats.audio_s == pytest.approx(12 * len(pcm) / 2 / RATE)
    assert stats.work_s > 0


async def test_languages_share_the_limit(model: Path, workers: Workers, speech: Speech) -> None:
    pool = RecognizerPool({"en": model, "de": model}, workers, limit=2)
    await pool.open()
    pcm = speech["good morning"]
    for language in ("en", "de", "de"):
        finals = await asyncio.gather(
            *(pool.transcribe(Chunks([pcm]), language, on_partial=lambda _: None) for _ in range(2))
        )
        assert {final.text for final in finals} == {"good morning"}
        assert pool.stats.made == 2


async def test_a_retired_recognizer_is_replaced_by_one_that_hears_the_same(
    model: Path, workers: Workers, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    pcm = speech["turn on the kitchen light"]
    monkeypatch.setattr(recognizer, "RETIRE_AFTER_S", 3.0)
    pool = RecognizerPool({"en": model}, workers, limit=1)
    await pool.open()
    before = await transcribe(pool, pcm)
    finals = [await transcribe(pool, pcm) for _ in range(3)]
    assert [(final.text, final.words) for final in finals] == [(before.text, before.words)] * 3


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_cancelling_at_any_moment_returns_a_recognizer_that_hears_as_before(
    one_recognizer: tuple[asyncio.Runner, RecognizerPool], speech: Speech, seed: int
) -> None:
    runner, pool = one_recognizer
    dice = random.Random(seed)
    victim, witness = dice.sample(list(speech.values()), 2)

    async def scenario() -> None:
        alone = await transcribe(pool, witness)
        task = asyncio.create_task(transcribe(pool, victim, dice.choice((512, 1024, 16_000))))
        other = asyncio.create_task(transcribe(pool, witness)) if dice.random() < 0.5 else None
        for _ in range(dice.randrange(40)):
            await asyncio.sleep(0.0005 if dice.random() < 0.5 else 0)
        task.cancel()
        await asyncio.wait([task])
        after = await (other or transcribe(pool, witness))
        assert (after.text, after.words) == (alone.text, alone.words)
        assert (pool.stats.in_use, pool.stats.waiting, pool.stats.made) == (0, 0, 1)

    runner.run(scenario())


@pytest.fixture(scope="module")
def one_recognizer(model: Path) -> Iterator[tuple[asyncio.Runner, RecognizerPool]]:
    workers = Workers(1, "test-hear")
    pool = RecognizerPool({"en": model}, workers, limit=1)
    with asyncio.Runner() as runner:
        runner.run(pool.open())
        yield runner, pool
    workers.close()


async def test_a_failing_listener_gives_its_recognizer_back(pool: RecognizerPool) -> None:
    class Broken(Chunks):
        async def read(self) -> bytes:
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await pool.transcribe(Broken([]), "en", on_partial=lambda _: None)
    assert pool.stats.in_use == 0


async def test_a_language_without_a_model_is_refused(pool: RecognizerPool) -> None:
    with pytest.raises(ModelError, match="no recognizer for language 'de', only for: en"):
        await pool.transcribe(Chunks([]), "de", on_partial=lambda _: None)


async def test_a_source_of_another_rate_is_refused(pool: RecognizerPool) -> None:
    source = Chunks([])
    source.rate = 8_000
    with pytest.raises(ValueError, match="8000 Hz, expected 16000 Hz"):
        await pool.transcribe(source, "en", on_partial=lambda _: None)


async def test_a_missing_model_is_named_with_its_remedy(tmp_path: Path, workers: Workers) -> None:
    pool = RecognizerPool({"en": tmp_path / "vosk-model-small-en-us-0.15"}, workers)
    with pytest.raises(ModelError, match="0.15: no such model directory; 'stimme models fetch vosk-model-small-en"):
        await pool.open()


@pytest.mark.parametrize("damage", ["am/final.mdl", "graph/HCLG.fst", "graph/words.txt"])
async def test_a_damaged_model_is_named_with_its_remedy(
    tmp_path: Path, model: Path, workers: Workers, damage: str
) -> None:
    copy = tmp_path / model.name
    shutil.copytree(model, copy)
    (copy / damage).write_bytes((copy / damage).read_bytes()[:1000])
    pool = RecognizerPool({"en": copy}, workers)
    with pytest.raises(ModelError, match=f"{copy / damage}: 1000 bytes, expected .*; delete stimme-en-small-0.2"):
        await pool.open()


async def test_a_model_that_vosk_refuses_is_named(tmp_path: Path, model: Path, workers: Workers) -> None:
    copy = tmp_path / "model-of-ones-own"
    shutil.copytree(model, copy)
    (copy / CONTENTS).unlink()
    (copy / "am" / "final.mdl").write_bytes(b"not a model")
    pool = RecognizerPool({"en": copy}, workers)
    with pytest.raises(ModelError, match=f"{copy}: Vosk cannot load this model .*; fetch it again"):
        await pool.open()


def test_the_default_limit_fits_the_threads_and_the_memory(model: Path, tmp_path: Path) -> None:
    composing = tmp_path  # no HCLG.fst
    assert 2 <= default_limit([model, composing], 8) == default_limit([composing], 8) <= default_limit([model], 8)
    assert default_limit([model], 1) <= 8


async def test_the_graph_in_one_piece_hears_what_the_one_in_two_pieces_hears(
    tmp_path: Path, model: Path, workers: Workers, pool: RecognizerPool, speech: Speech
) -> None:
    copy = tmp_path / "composing"
    shutil.copytree(model, copy)
    (copy / "graph" / "HCLG.fst").unlink()
    (copy / CONTENTS).unlink()
    assert is_composed_lazily(copy) and not is_composed_lazily(model)
    composing = RecognizerPool({"en": copy}, workers, limit=1)
    await composing.open()
    for pcm in list(speech.values())[:30]:
        one, other = await transcribe(pool, pcm), await transcribe(composing, pcm)
        assert one.text == other.text
        for word, same in zip(one.words, other.words, strict=True):
            assert (word.start_s, word.end_s) == (same.start_s, same.end_s)
            assert word.confidence == pytest.approx(same.confidence, abs=1e-5)  # sums in another order


@pytest.fixture
def person() -> bytes:
    if not PERSON.exists():
        pytest.skip("Debian's pocketsphinx-testdata is not installed")
    return PERSON.read_bytes()


async def test_a_person_is_heard(pool: RecognizerPool, person: bytes) -> None:
    heard = (await transcribe(pool, person)).text
    assert word_errors("go forward ten meters", heard)[0] <= 1, heard


async def test_what_has_ended_goes_first_but_nobody_waits_for_ever() -> None:
    """A piece queued before its utterance ended is not overtaken by all who come and finish later."""
    workers, order, begin = Workers(1, "test"), list[str](), threading.Event()
    try:
        calls = [workers.run(begin.wait, 5)]
        for name, now_s, ended_at_s in (
            ("still speaking", 10.0, None),
            ("ended before", 10.1, 9.9),
            ("ended within the patience", 10.0 + PATIENCE_S, 10.0 + PATIENCE_S - 0.1),
            ("ended later", 10.2 + PATIENCE_S, 10.1 + PATIENCE_S),
        ):
            calls.append(workers.run(order.append, name, priority=urgency(now_s, ended_at_s)))  # type: ignore[arg-type]
        waiting = asyncio.gather(*calls)
        await asyncio.sleep(0)
        begin.set()
        await waiting
    finally:
        workers.close()
    assert order == ["ended before", "ended within the patience", "still speaking", "ended later"]
