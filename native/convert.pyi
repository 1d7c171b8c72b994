from typing import Literal

from typing_extensions import Buffer

from native.ring import Ring

def float32_to_int16(source: Buffer, target: Buffer) -> None: ...
def int16_to_float32(source: Buffer, target: Buffer) -> None: ...
def float32_to_ring(source: Buffer, ring: Ring) -> tuple[int, float, float]: ...
def level(samples: Buffer) -> tuple[float, float]: ...
def to_mono(
    source: Buffer,
    channels: int,
    target: Buffer,
    channel: int | None = None,
    *,
    sample_format: Literal["int16", "float32"] = "int16",
) -> None: ...
