"""A decoding graph laid out so that it can be mapped into memory instead of being read into the heap.

OpenFst's "const" format is a header, then 20 bytes for each state, then 16 for each arc. Where a flag in the header
says so, states and arcs begin at multiples of 16 bytes, and only then OpenFst maps them (fst/fst.h, fst/const-fst.h).
"""

from __future__ import annotations

import shutil
import struct
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO

ALIGNMENT = 16
_HEADER = struct.Struct("<ii5si8siiQqqq")
"""Magic, length and name of the format, the same of the arcs, version, flags, properties, start, states, arcs."""
_MAGIC, _VERSION = 2125659606, 2
_ALIGNED = 4  # of the flags
_STATE_BYTES = 20


def align(source: BufferedIOBase, target: BinaryIO) -> None:
    """Copy a graph so that it can be mapped. What has another format is copied as it is."""
    header = source.read(_HEADER.size)
    if not _is_const(header) or _is_aligned(header):
        target.write(header)
        shutil.copyfileobj(source, target)
        return
    *before, flags, properties, start, states, arcs = _HEADER.unpack(header)
    target.write(_padded(_HEADER.pack(*before, flags | _ALIGNED, properties, start, states, arcs)))
    target.write(_padded(source.read(states * _STATE_BYTES)))  # the header is padded, so their length decides
    shutil.copyfileobj(source, target)


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % ALIGNMENT)


def is_mappable(graph: Path) -> bool:
    """Whether OpenFst can map this file."""
    try:
        with graph.open("rb") as file:
            header = file.read(_HEADER.size)
    except OSError:
        return False
    return _is_const(header) and _is_aligned(header)


def _is_const(header: bytes) -> bool:
    if len(header) < _HEADER.size:
        return False
    magic, _, name, _, arcs, version, *_ = _HEADER.unpack(header)
    return bool((magic, name, arcs, version) == (_MAGIC, b"const", b"standard", _VERSION))


def _is_aligned(header: bytes) -> bool:
    return bool(_HEADER.unpack(header)[6] & _ALIGNED)
