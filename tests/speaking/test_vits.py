"""The native network computes what onnxruntime computes, in whatever pieces, beside whatever else."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import soxr

from appliance.audio.pcm import RATE, s16le
from appliance.hearing.vosk import Recognizer, load
from appliance.language import LANGUAGES, Language
from appliance.models.choose import find_recognizer
from appliance.speaking import vits
from appliance.speaking.phonemes import phoneme_ids
from appliance.speaking.vits import Vits
from native.vits import CHANNELS, DECODER_LAG, FLOW_LAG, SAMPLES_PER_FRAME, Decoder, Flow, kernels
from tests.support.kit import phrases, voice_path
from tests.support.proofs import IS_LONG, proved
from tests.support.reference import Floats, Reference, exact_latent, log_spectral_distance
from tests.support.server import MODELS
from tests.support.speech import commands

SENTENCES = 200 if IS_LONG else 4
"""`make test-voice`: two hundred of each language instead of a few."""
LATENT, LATENT_MOST = 1e-4, 4e-4
"""How far a number of a latent frame may differ, of values up to ±40: all but one in 100,000, and that one."""
WHOLE_WAY = 5e-4
"""How far samples may differ at the end: the flow makes ten times as much of the last bits of the text's numbers."""
NATURAL = (0.667, 1.0, 0.8)


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[Language, Reference]:
    """The embedded English voice, and a voice of the same shape with made-up weights for German."""
    return {
        "en": Reference(voice_path(), tmp_path_factory.mktemp("en")),
        "de": Reference(voice_path(), tmp_path_factory.mktemp("de"), seed=1),
    }


@pytest.fixture(scope="module")
def voices(references: dict[Language, Reference]) -> dict[Language, Vits]:
    return {language: Vits(reference.weights) for language, reference in references.items()}


def ids(text: str, language: Language) -> list[int]:
    settings = json.loads(Path(f"{voice_path()}.json").read_text())
    sentences = phoneme_ids(text, "en-us" if language == "en" else "de", settings["phoneme_id_map"])
    return [identity for sentence in sentences for identity in sentence]


def random_numbers() -> np.random.Generator:
    return np.random.default_rng(7)


def spoken(voice: Vits, symbols: list[int]) -> Floats:
    stats, durations = voice.read(symbols, np.zeros(2 * len(symbols), np.float32))
    return np.concatenate(list(voice.speak(stats, durations, 0.0, random_numbers())))


def decoded(voice: Vits, latent: Floats, cuts: list[int]) -> Floats:
    """The latent frames through a decoder, cut at these places."""
    return run(Decoder(voice._network), latent, cuts, DECODER_LAG, SAMPLES_PER_FRAME)


def flowed(voice: Vits, frames: Floats, cuts: list[int]) -> Floats:
    return run(Flow(voice._network), frames, cuts, FLOW_LAG, CHANNELS).reshape(-1, CHANNELS)


def run(stream: Flow | Decoder, rows: Floats, cuts: list[int], lag: int, width: int) -> Floats:
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        target = np.empty((end - begin + lag) * width, np.float32)
        written = stream.run(np.ascontiguousarray(rows[begin:end]), target, last=end == len(rows))
        found.append(target[: written * (CHANNELS if isinstance(stream, Flow) else 1)])
    return np.concatenate(found)


def random_cuts(length: int, seed: int) -> list[int]:
    dice = random.Random(seed)
    return sorted(dice.choices(range(length), k=dice.randrange(12)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_computes_what_onnxruntime_computes(
    references: dict[Language, Reference], voices: dict[Language, Vits], language: Language
) -> None:
    reference, voice = references[language], voices[language]
    texts = phrases(language)[:SENTENCES]
    worst = {"stats": 0.0, "latent": 0.0, "samples": 0.0}
    numbers = beyond = 0
    for text in texts:
        symbols = ids(text, language)
        expected = reference.say(symbols)
        stats, durations = voice.read(symbols, np.zeros(2 * len(symbols), np.float32))
        np.testing.assert_allclose(stats, expected.stats, rtol=0, atol=5e-5, err_msg=text)
        differing = np.ceil(durations) != expected.durations
        assert np.abs(durations - np.round(durations))[differing].max(initial=0) < 1e-4, text  # on the edge of a frame
        owners = np.repeat(np.arange(len(symbols)), expected.durations.astype(int))
        latent = flowed(voice, expected.stats[owners, :CHANNELS], [])
        np.testing.assert_allclose(latent, expected.latent, rtol=0, atol=LATENT_MOST, err_msg=text)
        samples = decoded(voice, expected.latent, [])
        np.testing.assert_allclose(samples, expected.samples, rtol=0, atol=1e-5, err_msg=text)
        pairs = (stats, expected.stats), (latent, expected.latent), (samples, expected.samples)
        for part, (ours, theirs) in zip(worst, pairs, strict=True):
            worst[part] = max(worst[part], float(np.abs(ours - theirs).max()))
        numbers += latent.size
        beyond += int((np.abs(latent - expected.latent) > LATENT).sum())
    assert len(texts) == SENTENCES and beyond <= numbers / 100_000
    found = {"sentences": len(texts), "largest_difference": worst}
    proved(f"against onnxruntime, {language}", found | {"latent_numbers": numbers, "beyond_1e-4": beyond})


def test_the_flow_is_as_exact_as_single_precision_allows(
    references: dict[Language, Reference], voices: dict[Language, Vits]
) -> None:
    ours, theirs = 0.0, 0.0
    for text in phrases("en")[: 60 if IS_LONG else 1]:
        symbols = ids(text, "en")
        expected = references["en"].say(symbols)
        frames = expected.stats[np.repeat(np.arange(len(symbols)), expected.durations.astype(int)), :CHANNELS]
        exact = exact_latent(references["en"].voice, frames)
        ours = max(ours, float(np.abs(flowed(voices["en"], frames, []) - exact).max()))
        theirs = max(theirs, float(np.abs(expected.latent - exact).max()))
    proved("latent frames against double precision", {"ours": ours, "onnxruntime": theirs})
    assert ours < 3e-4 and theirs < 3e-4


def test_the_whole_way_is_the_same_sound(references: dict[Language, Reference], voices: dict[Language, Vits]) -> None:
    symbols = ids("Set a timer for five minutes, please.", "en")
    said = spoken(voices["en"], symbols)
    np.testing.assert_allclose(said, references["en"].say(symbols).samples, rtol=0, atol=WHOLE_WAY)


def test_float16_weights_are_nearer_than_the_voice_is_to_itself(tmp_path: Path, voices: dict[Language, Vits]) -> None:
    symbols = ids("The weather will be fine tomorrow, and a little warmer than today.", "en")
    exact = Reference(voice_path(), tmp_path, rounded=False).say(symbols).samples
    stats, durations = voices["en"].read(symbols, np.zeros(2 * len(symbols), np.float32))
    one, other = [
        np.concatenate(list(voices["en"].speak(stats, durations, NATURAL[0], np.random.default_rng(seed))))
        for seed in (1, 2)
    ]
    rounded = log_spectral_distance(spoken(voices["en"], symbols), exact)
    natural = log_spectral_distance(one, other)
    proved("log_spectral_distance_db", {"float16_weights": round(rounded, 3), "two_readings": round(natural, 2)})
    assert rounded < 0.5 < 2 < natural


def test_float16_weights_are_understood_as_well_as_exact_ones(tmp_path: Path, voices: dict[Language, Vits]) -> None:
    exact = Reference(voice_path(), tmp_path, rounded=False)
    choice = find_recognizer("en", MODELS)
    assert choice is not None
    _, recognizer = load(choice.path)
    right = 0
    said = commands()[: 60 if IS_LONG else 6]
    for command in said:
        symbols = ids(command, "en")
        one, other = [
            transcript(recognizer, sound) for sound in (spoken(voices["en"], symbols), exact.say(symbols).samples)
        ]
        assert one == other
        right += one == command
    proved("heard again by Vosk", {"commands": len(said), "float16_as_exact": len(said), "as_said": right})
    assert right > 0.8 * len(said), "it can be told apart from a voice that nobody understands"


def transcript(recognizer: Recognizer, sound: Floats) -> str:
    quiet = np.zeros(4000, np.float32)
    samples = np.concatenate((quiet, soxr.resample(sound, 22_050, RATE), quiet))
    return recognizer.decode(s16le(samples), True, False)[1] or ""


@pytest.mark.parametrize("kernel", kernels())
def test_every_instruction_set_says_the_same(references: dict[Language, Reference], kernel: str) -> None:
    symbols = ids("What time is it?", "en")
    voice = Vits(references["en"].weights, kernel)
    assert voice.kernel == kernel
    expected = references["en"].say(symbols)
    np.testing.assert_allclose(decoded(voice, expected.latent, []), expected.samples, rtol=0, atol=1e-5)
    np.testing.assert_allclose(spoken(voice, symbols), expected.samples, rtol=0, atol=WHOLE_WAY)


@pytest.mark.parametrize(("windows", "piece"), [((1,), 1), ((8,), 5), ((31, 7), 16), ((192,), 24), ((10**6,), 10**6)])
def test_windows_of_any_size_give_the_same_samples(
    voices: dict[Language, Vits], monkeypatch: pytest.MonkeyPatch, windows: tuple[int, ...], piece: int
) -> None:
    symbols = ids("It is half past seven.", "en")
    usual = spoken(voices["en"], symbols)
    monkeypatch.setattr(vits, "FLOW_WINDOWS", windows)
    monkeypatch.setattr(vits, "DECODER_PIECE", piece)
    np.testing.assert_array_equal(spoken(voices["en"], symbols), usual)


@pytest.mark.parametrize("seed", range(40 if IS_LONG else 6))
def test_streams_split_at_random_give_the_same_samples(voices: dict[Language, Vits], seed: int) -> None:
    length = random.Random(seed).choice((1, 2, 5, 11, 12, 30, 45, 60))
    frames = np.random.default_rng(seed).normal(size=(length, CHANNELS)).astype(np.float32)
    latent = flowed(voices["en"], frames, random_cuts(length, seed))
    np.testing.assert_array_equal(latent, flowed(voices["en"], frames, []))
    samples = decoded(voices["en"], latent, random_cuts(length, seed + 1000))
    np.testing.assert_array_equal(samples, decoded(voices["en"], latent, []))
    assert len(samples) == length * SAMPLES_PER_FRAME


def test_clauses_cancelled_at_random_leave_nothing_in_the_next(voices: dict[Language, Vits]) -> None:
    symbols, other = ids("It is a quarter to nine.", "en"), ids("Es ist Viertel vor neun.", "de")
    usual = spoken(voices["en"], symbols)
    dice = random.Random(3)
    for _ in range(40 if IS_LONG else 6):
        begun = voices[dice.choice(LANGUAGES)].synthesize(dice.choice((symbols, other)), NATURAL, None)
        list(islice(begun, dice.randrange(4)))
        del begun
        np.testing.assert_array_equal(spoken(voices["en"], symbols), usual)


def test_a_clause_gone_wrong_does_not_touch_another(voices: dict[Language, Vits]) -> None:
    symbols = ids("It is a quarter past nine.", "en")
    usual = spoken(voices["en"], symbols)
    stats, durations = voices["en"].read(symbols, np.zeros(2 * len(symbols), np.float32))

    def strange(value: float) -> Iterator[Floats]:
        return voices["en"].speak(np.full_like(stats, value), durations, 0.0, random_numbers())

    for value in (np.nan, np.inf, -np.inf, 1e-42, 0.0, 3e38):
        wrong, right = strange(value), voices["en"].speak(stats, durations, 0.0, random_numbers())
        samples = [piece for pair in zip(right, wrong, strict=True) for piece in pair]  # in turns, on one thread
        np.testing.assert_array_equal(np.concatenate(samples[::2]), usual)


def test_a_network_out_of_its_mind_comes_to_an_end(voices: dict[Language, Vits]) -> None:
    stats = np.zeros((3, 384), np.float32)
    durations = np.array([np.nan, np.inf, -1], np.float32)
    frames = sum(len(latent) for latent, _ in voices["en"].frames(stats, durations, 0.0, random_numbers()))
    assert frames <= 3 * vits.LONGEST_SYMBOL


def test_two_voices_in_two_threads_say_what_they_say_alone(voices: dict[Language, Vits]) -> None:
    tasks = [(voices[language], ids(text, language)) for language in LANGUAGES for text in phrases(language)[:2]]
    alone = [spoken(*task) for task in tasks]
    with ThreadPoolExecutor(2) as threads:
        beside = list(threads.map(lambda task: spoken(*task), tasks * 2))
    for one, other in zip(beside, alone * 2, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_first_piece_does_not_wait_for_the_clause(voices: dict[Language, Vits]) -> None:
    symbols = ids("This is a sentence that takes a while to say, and it goes on and on until the end.", "en")
    pieces = [len(piece) for piece in voices["en"].synthesize(symbols, NATURAL, None)]
    assert 0.1 < pieces[0] / 22_050 < 0.2
    assert sum(pieces) > 10 * pieces[0]


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda content: content[:-64], "CRC-32"),
        (lambda content: content[:40], "40 bytes, expected at least 64"),
        (lambda content: content[:5000] + b"\xff" + content[5001:], "CRC-32"),
        (lambda content: b"STIMWITS" + content[8:], "not a weights file"),
        (lambda content: content[:8] + b"\x07" + content[9:], "another release"),
        (lambda content: content[:12] + b"\x07" + content[13:], "incomplete or too long"),
    ],
)
def test_damaged_weights_are_refused(
    references: dict[Language, Reference], tmp_path: Path, damage: Callable[[bytes], bytes], complaint: str
) -> None:
    path = tmp_path / "voice.vits"
    path.write_bytes(damage(references["en"].weights.read_bytes()))
    with pytest.raises(ValueError, match=complaint):
        Vits(path)
