"""A Piper voice's network (VITS), cut in two so that sound comes out while the clause is still being synthesised.

The network is an encoder with flow, which must see the whole clause and takes about a quarter of the time, and a
decoder, which turns its latent frames into samples and sees only a few frames around each. So the ONNX graph is cut
once where the decoder begins; the encoder runs over the clause, the decoder over windows of it with some frames of
context on both sides, whose sound is thrown away. The result equals the whole network's to 1e-5.

    python -m appliance.speaking.vits VOICE.onnx DIRECTORY     cuts a voice (needs the package onnx; 0.5 s, 300 MB)

Cutting runs in a process of its own, because its memory is ten times what speaking needs. The two halves are kept in a
cache under a key of the voice file's size, beginning and end: every training changes all of the weights, and reading
the other 60 MB of them at each start would take a second from an SD card.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from appliance.models.whole import check_sizes, put

log = logging.getLogger(__name__)

CUT = "/dec/conv_pre/Conv"
"""The decoder's first node, the same in all of Piper's published voices."""
CONTEXT_FRAMES = 10
FIRST_WINDOW_FRAMES = 24  # a quarter of a second at 22,050 Hz and 256 samples a frame
LARGEST_WINDOW_FRAMES = 96
CUT_TIMEOUT_S = 120

_KEY_BYTES = 1 << 20
_KEY_DIGITS = 16

Samples = NDArray[np.float32]


class WholeVits:
    """The network as published: a clause's sound comes in one piece."""

    def __init__(self, voice: Path) -> None:
        self._session = _session(voice)

    def synthesize(self, ids: Sequence[int], scales: Sequence[float], speaker: int | None) -> Iterator[Samples]:
        """Phoneme ids → samples in [-1, 1]. scales: noise, length, and noise of the lengths, as Piper's settings."""
        yield self._session.run(None, _inputs(ids, scales, speaker))[0].reshape(-1)


class CutVits:
    """The network in two halves: a clause's sound comes in windows, the first after a third of a second of sound."""

    def __init__(self, directory: Path, samples_per_frame: int) -> None:
        # Planning which of the encoder's 2,700 buffers to reuse takes 0.8 s at each start and saves no memory that
        # could be measured; for the decoder's few large ones it does.
        self._encoder = _session(directory / "encoder.onnx", reuse_buffers=False)
        self._decoder = _session(directory / "decoder.onnx")
        self._latent = self._decoder.get_inputs()[0].name
        self._samples_per_frame = samples_per_frame

    def synthesize(self, ids: Sequence[int], scales: Sequence[float], speaker: int | None) -> Iterator[Samples]:
        """As WholeVits, in several pieces."""
        return self.decode(self.encode(ids, scales, speaker))

    def encode(self, ids: Sequence[int], scales: Sequence[float], speaker: int | None) -> Samples:
        """Phoneme ids → latent frames, shape (1, channels, frames). Random unless both noises are 0."""
        latent: Samples = self._encoder.run(None, _inputs(ids, scales, speaker))[0]
        return latent

    def decode(self, latent: Samples) -> Iterator[Samples]:
        """Latent frames → samples, window by window; the windows double in size."""
        frames = latent.shape[2]
        begin, size = 0, FIRST_WINDOW_FRAMES
        while begin < frames:
            end = min(frames, begin + size)
            if frames - end < CONTEXT_FRAMES:
                end = frames  # the rest would cost mostly context
            left, right = max(0, begin - CONTEXT_FRAMES), min(frames, end + CONTEXT_FRAMES)
            window = np.ascontiguousarray(latent[:, :, left:right])
            samples = self._decoder.run(None, {self._latent: window})[0].reshape(-1)
            yield samples[(begin - left) * self._samples_per_frame : (end - left) * self._samples_per_frame]
            begin, size = end, min(LARGEST_WINDOW_FRAMES, size * 2)


def load(voice: Path, cache: Path, samples_per_frame: int) -> CutVits | WholeVits:
    """Load a voice cut in two, cutting it first if that was not done yet; whole if it cannot be cut.

    cache: directory for the halves; made if missing. Takes 0.3 s (0.8 s more the first time). Blocks.
    """
    halves = _halves(voice, cache)
    if halves.is_dir():
        try:
            check_sizes(halves)
            return CutVits(halves, samples_per_frame)
        except Exception as error:  # onnxruntime raises many kinds
            log.warning("voice %s: its halves are damaged (%s) and are cut again", voice.name, error)
            shutil.rmtree(halves, ignore_errors=True)
    try:
        _cut_elsewhere(voice, halves)
        return CutVits(halves, samples_per_frame)
    except Exception as error:  # as does onnx; the voice itself still speaks
        log.warning("voice %s: cannot be cut for streaming (%s); it speaks whole clauses", voice.name, error)
        return WholeVits(voice)


def is_cut(voice: Path, cache: Path) -> bool:
    """Whether load() finds the voice's halves in the cache."""
    return _halves(voice, cache).is_dir()


def _halves(voice: Path, cache: Path) -> Path:
    return cache / f"{voice.stem}-{_key(voice)}"


def _cut_elsewhere(voice: Path, halves: Path) -> None:
    """Put the two halves into `halves`, all or nothing."""
    halves.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".cut-", dir=halves.parent) as folder:
        finished = Path(folder) / "halves"
        finished.mkdir()
        command = [sys.executable, "-m", "appliance.speaking.vits", str(voice.resolve()), str(finished.resolve())]
        source = Path(__file__).parents[2]  # from where the command finds this package, wherever it was started
        done = subprocess.run(
            command, cwd=source, capture_output=True, text=True, timeout=CUT_TIMEOUT_S, check=False)
        if done.returncode:
            raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
        put(finished, halves)
    for other in halves.parent.glob(f"{voice.stem}-{'[0-9a-f]' * _KEY_DIGITS}"):
        if other != halves:
            shutil.rmtree(other, ignore_errors=True)  # of an earlier version of this voice


def cut(voice: Path, directory: Path) -> None:
    """Write encoder.onnx and decoder.onnx into the directory."""
    import onnx
    from onnx.utils import Extractor

    model = onnx.load(str(voice))
    latent = next((node.input[0] for node in model.graph.node if node.name == CUT), None)
    if latent is None:
        raise ValueError(f"{voice}: no node {CUT}, so it is not a VITS voice as Piper publishes them")
    inputs = [entry.name for entry in model.graph.input]
    outputs = [entry.name for entry in model.graph.output]
    extractor = Extractor(model)
    for name, begin, end in (("encoder", inputs, [latent]), ("decoder", [latent], outputs[:1])):
        onnx.save(extractor.extract_model(begin, end), str(directory / f"{name}.onnx"))


def _key(voice: Path) -> str:
    with voice.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        digest = sha256(size.to_bytes(8, "little") + file.read(_KEY_BYTES))
        file.seek(max(0, size - _KEY_BYTES))
        digest.update(file.read(_KEY_BYTES))
    return digest.hexdigest()[:_KEY_DIGITS]


def _inputs(ids: Sequence[int], scales: Sequence[float], speaker: int | None) -> dict[str, NDArray[np.generic]]:
    inputs: dict[str, NDArray[np.generic]] = {
        "input": np.array([ids], dtype=np.int64),
        "input_lengths": np.array([len(ids)], dtype=np.int64),
        "scales": np.array(scales, dtype=np.float32),
    }
    if speaker is not None:
        inputs["sid"] = np.array([speaker], dtype=np.int64)
    return inputs


def _session(path: Path, *, reuse_buffers: bool = True) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # TTS_WORKERS says how many run at once
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena keeps the largest clause's memory for good: 40 MB more for 8 % less time (onnxruntime 1.31).
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.enable_mem_reuse = reuse_buffers
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    cut(Path(sys.argv[1]), Path(sys.argv[2]))
