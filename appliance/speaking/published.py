"""A voice's network as published, computed by onnxruntime: for voices of another size than native/vits computes.

onnxruntime is an optional part (`stimme[onnx]`). A clause's sound comes in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from appliance.errors import ModelError
from appliance.speaking.vits import Samples

REMEDY = "pip install 'stimme[onnx]'"


def is_installed() -> bool:
    return find_spec("onnxruntime") is not None


class PublishedVits:
    """The network of an .onnx file. Raises ModelError if onnxruntime is not installed or cannot read the file."""

    def __init__(self, voice: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(
                f"{voice}: a voice of this kind needs onnxruntime, which is not installed; {REMEDY}"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # TTS_WORKERS says how many run at once
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False  # it would keep the largest clause's memory for good, 40 MB
        options.enable_mem_pattern = False
        try:
            self._session = onnxruntime.InferenceSession(str(voice), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises many kinds
            raise ModelError(f"{voice}: onnxruntime cannot load this voice ({error}); fetch it again") from error

    def synthesize(self, ids: Sequence[int], scales: Sequence[float], speaker: int | None) -> Iterator[Samples]:
        inputs: dict[str, Any] = {
            "input": np.array([ids], dtype=np.int64),
            "input_lengths": np.array([len(ids)], dtype=np.int64),
            "scales": np.array(scales, dtype=np.float32),
        }
        if speaker is not None:
            inputs["sid"] = np.array([speaker], dtype=np.int64)
        yield self._session.run(None, inputs)[0].reshape(-1)
