"""A graph is laid out so that OpenFst can map it, and loses nothing by that."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from appliance.models.graph import align, is_mappable

STATES, ARCS = 3, 5
HEADER = struct.pack("<ii5si8siiQqqq", 0x7EB2FDD6, 5, b"const", 8, b"standard", 2, 0, 0, 0, STATES, ARCS)
GRAPH = HEADER + bytes(range(20 * STATES)) + bytes(range(100, 100 + 16 * ARCS))


def aligned(graph: bytes) -> bytes:
    target = io.BytesIO()
    align(io.BytesIO(graph), target)
    return target.getvalue()


def test_states_and_arcs_begin_where_they_can_be_mapped(tmp_path: Path) -> None:
    found = aligned(GRAPH)
    assert found[80 : 80 + 60] == bytes(range(60))
    assert found[144:] == bytes(range(100, 180))
    assert found[:29] == HEADER[:29] and found[33:65] == HEADER[33:]
    for graph, mappable in ((GRAPH, False), (found, True)):
        (tmp_path / "HCLG.fst").write_bytes(graph)
        assert is_mappable(tmp_path / "HCLG.fst") == mappable


@pytest.mark.parametrize(
    "graph",
    [aligned(GRAPH), GRAPH.replace(b"const", b"verse"), GRAPH.replace(b"standard", b"logarith"), GRAPH[:40], b""],
)
def test_what_is_aligned_or_of_another_format_is_copied_as_it_is(graph: bytes) -> None:
    assert aligned(graph) == graph


def test_a_graph_that_is_not_there_cannot_be_mapped(tmp_path: Path) -> None:
    assert not is_mappable(tmp_path / "HCLG.fst")
