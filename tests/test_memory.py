"""What this process does not need goes back to the system, and nothing is lost by that."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from appliance.memory import give_back

SIZE = 1 << 20


def resident_kb(path: Path) -> int:
    """Of the file's mapping, from proc(5)'s smaps."""
    found = re.search(rf"{path}\n(?:.*\n)*?Rss: +(\d+) kB", Path("/proc/self/smaps").read_text())
    assert found is not None
    return int(found[1])


def test_a_mapped_model_s_pages_are_given_back_and_come_again(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    before = mapped[:]
    assert resident_kb(path) == SIZE // 1024
    give_back()
    assert resident_kb(path) == 0
    assert mapped[:] == before


def test_what_somebody_writes_stays(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(bytes(SIZE))
    with path.open("r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
    mapped[:] = b"x" * SIZE
    give_back()
    assert resident_kb(path) == SIZE // 1024 and mapped[:] == b"x" * SIZE
