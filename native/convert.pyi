from typing import Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

from native.ring import Ring

# NumPy says that its arrays are buffers only to a type checker that assumes Python 3.12 or newer.
_Int16: TypeAlias = Buffer | NDArray[np.int16]
_Float32: TypeAlias = Buffer | NDArray[np.float32]

def float32_to_int16(source: _Float32, target: _Int16) -> None: ...
def int16_to_float32(source: _Int16, target: _Float32) -> None: ...
def float32_to_ring(source: _Float32, ring: Ring) -> tuple[int, float, float]: ...
def level(samples: _Int16) -> tuple[float, float]: ...
@overload
def to_mono(
    source: _Int16,
    channels: int,
    target: _Int16,
    channel: int | None = None,
    *,
    sample_format: Literal["int16"] = "int16",
) -> None: ...
@overload
def to_mono(
    source: _Float32,
    channels: int,
    target: _Float32,
    channel: int | None = None,
    *,
    sample_format: Literal["float32"],
) -> None: ...
