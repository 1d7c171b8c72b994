"""Has Vosk map a model's decoding graph instead of copying it into the heap: 21 to 24 MB of each embedded recognizer.

OpenFst, inside libvosk, maps a graph that is laid out for it (models/graph.py) when its setting `fst_read_mode` is
"map". But Kaldi hands it an open file and says that its name is "<unspecified>". So a link of that name is put where
OpenFst looks for it: in the current directory, which is changed for one thread only, while that loads the model.
Where any of this cannot be had, the graph is read as before.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from appliance.models.graph import is_mappable

log = logging.getLogger(__name__)

T = TypeVar("T")

UNNAMED = "<unspecified>"
"""What Kaldi calls every graph (fstext/kaldi-fst-io.cc)."""

_CLONE_FS = 0x200  # sched.h: what unshare() takes out of the process for the calling thread, the current directory
_SET_FLAGS = "_Z8SetFlagsPKcPiPPPcbS0_"
"""OpenFst's SetFlags(usage, argc, argv, remove_flags, source) as compilers write it."""
_FLAG = ("FLAGS_fst_read_mode", "_Z19FLAGS_fst_read_modeB5cxx11")
"""The setting, in libvosk for x86-64 and for aarch64; SetFlags ends the process for one that it does not know."""
_one_at_a_time = threading.Lock()  # the setting is the whole library's


def load_mapped(library: Path, graph: Path, view: Path, load: Callable[[], T]) -> T:
    """Return or raise what load() does, in a thread of its own, with the graph mapped if that is possible.

    library: libvosk.so. graph: the model's HCLG.fst, which need not exist. view: a directory in which a link can be
    made, as long as load() runs.
    """
    found: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            if is_mappable(graph) and _has_own_directory():
                (view / UNNAMED).symlink_to(graph.resolve())
                os.chdir(view)
                with _graphs_are_mapped(library):
                    found.append(load())
            else:
                found.append(load())
        except BaseException as error:  # whatever it is, it belongs to the caller
            errors.append(error)

    with _one_at_a_time:
        thread = threading.Thread(target=work, name="load")
        thread.start()
        thread.join()
    if errors:
        raise errors[0]
    return found[0]


def _has_own_directory() -> bool:
    """From now on this thread's current directory is its own; False where the system does not allow it."""
    return bool(ctypes.CDLL(None).unshare(_CLONE_FS) == 0)


@contextmanager
def _graphs_are_mapped(library: Path) -> Iterator[None]:
    openfst = ctypes.CDLL(str(library))
    if not hasattr(openfst, _SET_FLAGS) or not any(hasattr(openfst, name) for name in _FLAG):
        log.debug("%s: its graphs cannot be mapped", library)
        yield
        return
    _set(openfst, b"--fst_read_mode=map")
    try:
        yield
    finally:
        _set(openfst, b"--fst_read_mode=read")


def _set(openfst: ctypes.CDLL, argument: bytes) -> None:
    arguments = (ctypes.c_char_p * 3)(b"stimme", argument, None)
    count, pointer = ctypes.c_int(2), ctypes.cast(arguments, ctypes.POINTER(ctypes.c_char_p))
    set_flags = getattr(openfst, _SET_FLAGS)
    set_flags.restype = None
    set_flags(b"", ctypes.byref(count), ctypes.byref(pointer), ctypes.c_bool(False), b"")
