"""A published voice's .onnx file → the weights file that native/vits_network.h maps.

    python -m appliance.speaking.weights VOICE.onnx TARGET     converts a voice of the "medium" size (1 s, 150 MB)

The same layers in the same order as vits_lay_out() takes them. Weights of convolutions become float16: half the
memory, and in what is heard no difference that could be measured (docs/decisions.md). The arithmetic is float32.
"""

from __future__ import annotations

import mmap
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.speaking.onnx_file import Graph, read
from native.vits import CHANNELS, VERSION, size_bytes

MAGIC = b"STIMVITS"
HEADER = struct.Struct("<8sIII44x")
"""Magic, version, number of symbols, CRC-32 of all that follows."""
ALIGNMENT = 64
BLOCK, COLUMNS = 16, 32  # as native/vits_kernels.h
SMALL = 64
"""A tensor of more numbers than these that is not used means that the voice has another shape."""

Tensor = NDArray[np.float32]


class OtherShape(ValueError):
    """The voice is whole, but not of the shape that native/vits computes."""


def convert(voice: Path, target: Path) -> None:
    """Write the weights file. Raises OtherShape for a voice of another size, ValueError for a damaged file."""
    with voice.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # closed with the last tensor that lies in it
    target.write_bytes(_Layers(read(memoryview(mapped))).written())


def check(weights: memoryview) -> None:
    """Raise ValueError unless the file's content is what was written. Reads all of it, as speaking is about to do."""
    if len(weights) < HEADER.size:
        raise ValueError(f"{len(weights)} bytes, expected at least {HEADER.size}")
    _, _, _, expected = HEADER.unpack_from(weights)
    if (found := zlib.crc32(weights[HEADER.size :])) != expected:
        raise ValueError(f"CRC-32 {found:08x}, expected {expected:08x}")


class _Layers:
    """Takes tensors out of a graph by name, and appends them to the file as it wants them."""

    def __init__(self, graph: Graph) -> None:
        self._tensors = dict(graph.tensors)
        self._used: set[str] = set()
        self._file: list[bytes] = []
        self._dilations: dict[str, tuple[int, ...]] = {}
        self._graph = graph
        if "sid" in graph.inputs:
            raise OtherShape("it speaks with several voices")
        for node in graph.nodes:
            if node.operator == "Gather" and node.inputs[1:] == ("input",) and node.inputs[0] in self._tensors:
                self._tensors["enc_p.emb.weight"] = self._tensors.pop(node.inputs[0])  # PyTorch may call it anything
            # Weights that a norm was folded into have lost their names; their biases have not.
            if node.operator == "Conv" and len(node.inputs) > 2:
                name = node.inputs[2].removesuffix(".bias")
                if f"{name}.weight" not in self._tensors and node.inputs[1] in self._tensors:
                    self._tensors[f"{name}.weight"] = self._tensors.pop(node.inputs[1])
                self._dilations[name] = node.dilations

    def written(self) -> bytes:
        embedding = self._tensors.get("enc_p.emb.weight")
        if embedding is None or embedding.ndim != 2:
            raise OtherShape("it has no tensor enc_p.emb.weight")
        self._plain("enc_p.emb.weight", (len(embedding), CHANNELS))
        self._text()
        self._durations()
        self._flow()
        self._decoder()
        left = [name for name, tensor in self._tensors.items() if name not in self._used and tensor.size > SMALL]
        if left:
            raise OtherShape(f"it has more than a medium voice, for example {left[0]}")
        body = b"".join(self._file)
        if HEADER.size + len(body) != size_bytes(len(embedding)):
            raise AssertionError(f"{HEADER.size + len(body)} bytes, expected {size_bytes(len(embedding))}")
        return HEADER.pack(MAGIC, VERSION, len(embedding), zlib.crc32(body)) + body

    def _text(self) -> None:
        for i in range(6):
            attention, feed = f"enc_p.encoder.attn_layers.{i}", f"enc_p.encoder.ffn_layers.{i}"
            parts = [self._layer(f"{attention}.conv_{part}", CHANNELS, CHANNELS, 1) for part in "qkv"]
            self._append_layer(np.concatenate([weight for weight, _ in parts]), np.concatenate([b for _, b in parts]))
            self._plain(f"{attention}.emb_rel_k", (1, 9, CHANNELS // 2))
            self._plain(f"{attention}.emb_rel_v", (1, 9, CHANNELS // 2))
            self._convolution(f"{attention}.conv_o", CHANNELS, CHANNELS)
            self._norm(f"enc_p.encoder.norm_layers_1.{i}")
            self._convolution(f"{feed}.conv_1", 4 * CHANNELS, CHANNELS, 3)
            self._convolution(f"{feed}.conv_2", CHANNELS, 4 * CHANNELS, 3)
            self._norm(f"enc_p.encoder.norm_layers_2.{i}")
        self._convolution("enc_p.proj", 2 * CHANNELS, CHANNELS)

    def _durations(self) -> None:
        self._convolution("dp.pre", CHANNELS, CHANNELS)
        self._separable("dp.convs")
        self._convolution("dp.proj", CHANNELS, CHANNELS)
        for flow in (7, 5, 3):  # spoken backwards; the first is not needed then
            self._plain(f"dp.flows.{flow}.pre.weight", (CHANNELS, 1, 1))
            self._plain(f"dp.flows.{flow}.pre.bias", (CHANNELS,))
            self._separable(f"dp.flows.{flow}.convs")
            self._convolution(f"dp.flows.{flow}.proj", 29, CHANNELS)
        self._append(np.array([self._take("dp.flows.0.m", (2, 1))[0, 0], self._duration_factor()], np.float32))

    def _duration_factor(self) -> float:
        """e^-logs of the last step; PyTorch has folded it into a constant without a telling name."""
        if "dp.flows.0.logs" in self._tensors:
            return float(np.exp(-self._take("dp.flows.0.logs", (2, 1))[0, 0]))
        without_mean = {
            node.outputs[0]
            for node in self._graph.nodes
            if node.operator == "Sub" and "dp.flows.0.m" in node.inputs and node.outputs
        }
        for node in self._graph.nodes:
            if node.operator == "Mul" and without_mean & set(node.inputs):
                for name in node.inputs:
                    if name in self._tensors:
                        return float(self._take(name, (2, 1))[0, 0])
        raise OtherShape("it has no factor for the logs of durations")

    def _separable(self, name: str) -> None:
        for i, dilation in enumerate((1, 3, 9)):
            weight, bias = self._layer(f"{name}.convs_sep.{i}", CHANNELS, 1, 3, dilation)
            self._append(np.ascontiguousarray(weight[:, 0, :].T))
            self._append(bias)
            self._norm(f"{name}.norms_1.{i}")
            self._convolution(f"{name}.convs_1x1.{i}", CHANNELS, CHANNELS)
            self._norm(f"{name}.norms_2.{i}")

    def _flow(self) -> None:
        """From the last coupling to the first. Where the channels are flipped, the weights are instead."""
        half = CHANNELS // 2
        for flow in (6, 4, 2, 0):
            name, order = f"flow.flows.{flow}", slice(None, None, -1 if flow in (6, 2) else 1)
            weight, bias = self._layer(f"{name}.pre", CHANNELS, half, 1)
            self._append_layer(weight[:, order], bias)
            for i in range(4):
                self._convolution(f"{name}.enc.in_layers.{i}", 2 * CHANNELS, CHANNELS, 5)
                self._convolution(f"{name}.enc.res_skip_layers.{i}", (2 if i < 3 else 1) * CHANNELS, CHANNELS)
            weight, bias = self._layer(f"{name}.post", half, CHANNELS, 1)
            self._append_layer(-weight[order], -bias[order])  # what it says is taken off

    def _decoder(self) -> None:
        self._convolution("dec.conv_pre", 256, CHANNELS, 7)
        for stage, (channels, stride) in enumerate(((128, 8), (64, 8), (32, 4))):
            up = self._take(f"dec.ups.{stage}.weight", (2 * channels, channels, 2 * stride))
            bias = self._take(f"dec.ups.{stage}.bias", (channels,))
            # Sample s of a frame hears this frame through tap s, and the one before through tap s + stride.
            taps = np.stack((up[:, :, stride:], up[:, :, :stride]))  # [2][in][channels][stride]
            self._append_layer(
                taps.transpose(3, 2, 1, 0).reshape(stride * channels, 2 * channels, 2), np.tile(bias, stride)
            )
            for branch, (width, dilations) in enumerate(((3, (1, 2)), (5, (2, 6)), (7, (3, 12)))):
                for i, dilation in enumerate(dilations):
                    self._convolution(
                        f"dec.resblocks.{3 * stage + branch}.convs.{i}", channels, channels, width, dilation
                    )
        self._append(np.ascontiguousarray(self._take("dec.conv_post.weight", (1, 32, 7))[0].T))

    def _take(self, name: str, shape: tuple[int, ...]) -> Tensor:
        tensor = self._tensors.get(name)
        if tensor is None:
            raise OtherShape(f"it has no tensor {name}")
        if tensor.shape != shape:
            raise OtherShape(f"tensor {name} has shape {tensor.shape}, expected {shape}")
        if not np.isfinite(tensor).all():
            raise ValueError(f"tensor {name} has numbers that are not finite")
        self._used.add(name)
        return tensor

    def _layer(self, name: str, out: int, channels: int, taps: int, dilation: int = 1) -> tuple[Tensor, Tensor]:
        if self._dilations.get(name, (dilation,)) != (dilation,):
            raise OtherShape(f"{name} has dilations {self._dilations[name]}, expected {dilation}")
        return self._take(f"{name}.weight", (out, channels, taps)), self._take(f"{name}.bias", (out,))

    def _plain(self, name: str, shape: tuple[int, ...]) -> None:
        self._append(self._take(name, shape))

    def _norm(self, name: str) -> None:
        self._plain(f"{name}.gamma", (CHANNELS,))
        self._plain(f"{name}.beta", (CHANNELS,))

    def _convolution(self, name: str, out: int, channels: int, taps: int = 1, dilation: int = 1) -> None:
        self._append_layer(*self._layer(name, out, channels, taps, dilation))

    def _append_layer(self, weight: Tensor, bias: Tensor) -> None:
        """weight: [out][in][taps] → blocks [out / BLOCK][taps][in][BLOCK] of float16, out padded with zeros."""
        padding = -len(weight) % COLUMNS
        if np.abs(weight).max(initial=0) > np.finfo(np.float16).max:
            raise OtherShape(f"a weight of {np.abs(weight).max():g} does not fit into float16")
        padded = np.pad(weight.astype(np.float16), ((0, padding), (0, 0), (0, 0)))
        blocks = padded.reshape(-1, BLOCK, *weight.shape[1:]).transpose(0, 3, 2, 1)
        self._append(np.ascontiguousarray(blocks))
        self._append(np.pad(bias, (0, padding)))

    def _append(self, numbers: NDArray[np.generic]) -> None:
        content = numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()
        self._file.append(content + bytes(-len(content) % ALIGNMENT))


if __name__ == "__main__":
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except (ValueError, OSError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
