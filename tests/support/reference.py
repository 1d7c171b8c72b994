"""onnxruntime as the oracle of the native voice: the same network, whole, and what it computes on the way.

Its convolutions' weights are rounded to float16 as the weights file has them, so that what is compared is arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper

from appliance.speaking.onnx_file import read
from appliance.speaking.weights import _Layers, convert

Floats = NDArray[np.float32]
SILENT = (0.0, 1.0, 0.0)
"""Noise, length, noise of the lengths: without noise two runs are alike."""

_LATENT_READER, _STATS_MAKER = "/dec/conv_pre/Conv", "/enc_p/proj/Conv"
_DURATIONS = "/Ceil_output_0"


@dataclass(frozen=True)
class Said:
    """What the network computes of one sentence, time downward."""

    stats: Floats
    durations: Floats
    latent: Floats
    samples: Floats


class Reference:
    """A voice's network in onnxruntime, and its weights file for the native one.

    published: an .onnx file. seed: None keeps its weights, a number replaces them with others of the same spread, so
    that it is a voice of the same shape that nobody has heard.
    """

    def __init__(self, published: Path, folder: Path, seed: int | None = None, *, rounded: bool = True) -> None:
        model = onnx.load(str(published))
        random = np.random.default_rng(seed)
        for tensor in model.graph.initializer:
            if tensor.data_type != onnx.TensorProto.FLOAT:
                continue
            values = numpy_helper.to_array(tensor)
            if seed is not None and values.size > 4:
                values = random.normal(values.mean(), values.std(), values.shape).astype(np.float32)
            if rounded and values.ndim == 3 and min(values.shape[:2]) > 1:
                values = values.astype(np.float16).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        self.voice, self.weights = folder / published.name, folder / f"{published.stem}.vits"
        onnx.save(model, str(self.voice))
        convert(self.voice, self.weights)
        nodes = {node.name: node for node in model.graph.node}
        for name, shape in (
            (nodes[_STATS_MAKER].output[0], [1, 384, None]),
            (_DURATIONS, [1, 1, None]),
            (nodes[_LATENT_READER].input[0], [1, 192, None]),
        ):
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def say(self, ids: Sequence[int]) -> Said:
        samples, stats, durations, latent = self._session.run(
            None,
            {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array(SILENT, np.float32),
            },
        )
        return Said(
            np.ascontiguousarray(stats[0].T),
            durations.reshape(-1),
            np.ascontiguousarray(latent[0].T),
            samples.reshape(-1),
        )


def exact_latent(voice: Path, frames: Floats) -> NDArray[np.float64]:
    """The flow of a published voice in double precision, backwards as it speaks: frames → latent frames."""
    tensors = {
        name: tensor.astype(np.float64)
        for name, tensor in _Layers(read(memoryview(voice.read_bytes())))._tensors.items()  # which gives them names
        if name.startswith("flow.")
    }

    def convolved(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        weight = tensors[f"{name}.weight"]
        padded = np.pad(x, ((weight.shape[2] // 2,) * 2, (0, 0)))
        taps = [padded[tap : tap + len(x)] @ weight[:, :, tap].T for tap in range(weight.shape[2])]
        return np.asarray(sum(taps) + tensors[f"{name}.bias"])

    x, half = frames.astype(np.float64), frames.shape[1] // 2
    for flow in (6, 4, 2, 0):
        name, x = f"flow.flows.{flow}", x[:, ::-1]
        h, skipped = convolved(x[:, :half], f"{name}.pre"), np.zeros_like(x)
        for layer in range(4):
            wide = convolved(h, f"{name}.enc.in_layers.{layer}")
            gated = np.tanh(wide[:, : 2 * half]) / (1 + np.exp(-wide[:, 2 * half :]))
            mixed = convolved(gated, f"{name}.enc.res_skip_layers.{layer}")
            skipped += mixed[:, -2 * half :]
            h = h + mixed[:, : 2 * half]
        x = np.concatenate((x[:, :half], x[:, half:] - convolved(skipped, f"{name}.post")), axis=1)
    return x


def log_spectral_distance(one: Floats, other: Floats, size: int = 1024, floor_db: float = -80.0) -> float:
    """Mean over time of the RMS difference in dB of two equally long sounds' spectra (Gray and Markel 1976)."""

    def spectra(sound: Floats) -> NDArray[np.float64]:
        frames = np.lib.stride_tricks.sliding_window_view(sound, size)[:: size // 4] * np.hanning(size)
        power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 / size
        return np.asarray(10 * np.log10(np.maximum(power, 10 ** (floor_db / 10))))

    return float(np.sqrt(((spectra(one) - spectra(other)) ** 2).mean(axis=1)).mean())
