"""The tensors and nodes of an .onnx file, read without the packages onnx and protobuf.

An .onnx file is one protobuf message (https://protobuf.dev/programming-guides/encoding; field numbers: onnx.proto).
Only what a voice's weights need is looked at; the numbers themselves stay in the file's bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_FLOAT32 = 1  # TensorProto.DataType


@dataclass(frozen=True)
class Node:
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dilations: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    tensors: dict[str, NDArray[np.float32]]
    """The float32 ones among the constants, by name."""
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]


def read(file: memoryview) -> Graph:
    """Raises ValueError for anything that is not a whole .onnx file."""
    graph = next((value for number, value in _fields(file) if number == 7), None)
    if not isinstance(graph, memoryview):
        raise ValueError("no graph in it, so it is no .onnx file")
    tensors: dict[str, NDArray[np.float32]] = {}
    nodes: list[Node] = []
    inputs: list[str] = []
    for number, value in _fields(graph):
        if number == 1:
            nodes.append(_node(_message(value)))
        elif number == 5:
            name, tensor = _tensor(_message(value))
            if tensor is not None:
                tensors[name] = tensor
        elif number == 11:
            inputs += [_text(name) for field, name in _fields(_message(value)) if field == 1]
    return Graph(tensors, tuple(nodes), tuple(inputs))


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The message's fields in order: number, and an integer or the bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            size, at = _varint(message, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire} at byte {at} of a message of {len(message)}, expected 0, 1, 2 or 5")
        if at + size > len(message):
            raise ValueError(f"a field of {size} bytes at byte {at} of a message of {len(message)}")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError(f"it ends inside a number, at byte {at}")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError(f"a number of more than 10 bytes at byte {at - 10}")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError(f"the number {value}, expected a message")
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)).decode("utf-8", "replace")


def _integers(value: int | memoryview) -> list[int]:
    """A repeated integer, packed or not."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(number)
    return found


def _node(message: memoryview) -> Node:
    inputs: list[str] = []
    outputs: list[str] = []
    operator, dilations = "", []
    for number, value in _fields(message):
        if number == 1:
            inputs.append(_text(value))
        elif number == 2:
            outputs.append(_text(value))
        elif number == 4:
            operator = _text(value)
        elif number == 5:
            attribute = list(_fields(_message(value)))
            if any(field == 1 and _text(name) == "dilations" for field, name in attribute):
                dilations = [one for field, entry in attribute if field == 8 for one in _integers(entry)]
    return Node(operator, tuple(inputs), tuple(outputs), tuple(dilations))


def _tensor(message: memoryview) -> tuple[str, NDArray[np.float32] | None]:
    """Name and numbers; None for a tensor that is not float32 or lies in another file."""
    shape: list[int] = []
    name, kind, raw, typed = "", 0, None, b""
    for number, value in _fields(message):
        if number == 1:
            shape += _integers(value)
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 4:
            typed += bytes(_message(value))
        elif number == 8:
            name = _text(value)
        elif number == 9:
            raw = _message(value)
    if kind != _FLOAT32 or (raw is None and not typed):
        return name, None
    content = raw if raw is not None else typed
    size = 4 * int(np.prod(shape, dtype=object))
    if len(content) != size:
        raise ValueError(f"tensor {name} of shape {shape} has {len(content)} bytes, expected {size}")
    return name, np.frombuffer(content, "<f4").reshape(shape)
