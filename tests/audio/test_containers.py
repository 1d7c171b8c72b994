"""WebM and MP4 as browsers and phones record them: made here by PyAV, one codec each."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from appliance.audio.containers import container, unpacked_container
from appliance.audio.pcm import RATE
from appliance.errors import ProtocolError
from tests.support.containers import contained

av = pytest.importorskip("av")
TONE_HZ = 440


def recorded(kind: str, codec: str, options: dict[str, str] | None = None) -> bytes:
    """Two seconds of a tone in a container."""
    rate = 48_000
    samples = (8000 * np.sin(2 * np.pi * TONE_HZ * np.arange(2 * rate) / rate)).astype(np.int16)
    return contained(samples.tobytes(), rate, kind, codec, options)


def picture_only() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as opened:
        track: Any = opened.add_stream("libvpx", rate=10, width=16, height=16)
        for packet in [*track.encode(av.VideoFrame(16, 16, "yuv420p")), *track.encode(None)]:
            opened.mux(packet)
    return file.getvalue()


FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}


@pytest.mark.parametrize(
    ("kind", "codec", "options"),
    [
        ("webm", "libopus", {}),
        ("mp4", "aac", {}),
        ("mp4", "aac", FRAGMENTS),  # as Safari's recorder writes it
        ("ipod", "alac", {}),
    ],
)
def test_what_was_recorded_comes_back_at_the_recognizers_rate(kind: str, codec: str, options: dict[str, str]) -> None:
    file = recorded(kind, codec, options=options)
    assert container(file[:12]) == ("WebM" if kind == "webm" else "MP4 or M4A")
    sound = np.frombuffer(b"".join(unpacked_container(file)), np.int16)
    assert 1.9 * RATE < len(sound) < 2.1 * RATE
    middle = sound[RATE // 2 : RATE // 2 + RATE]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == TONE_HZ  # one second: a bin is a hertz
    assert 7000 < np.abs(middle).max() < 9000


def test_a_file_that_breaks_off_gives_what_there_is_or_says_so() -> None:
    file = recorded("webm", "libopus")
    heard = b"".join(unpacked_container(file[: len(file) // 2]))
    assert 0 < len(heard) < 2 * 2 * RATE
    with pytest.raises(ProtocolError, match="no MP4 or M4A file"):
        list(unpacked_container(recorded("mp4", "aac")[:200]))


@pytest.mark.parametrize(
    ("file", "code", "says"),
    [
        (b"\x1a\x45\xdf\xa3" + bytes(100), "bad_file", "no WebM file"),
        (b"\0\0\0\x20ftypM4A " + bytes(100), "bad_file", "no MP4 or M4A"),
    ],
)
def test_what_only_begins_like_one_is_refused(file: bytes, code: str, says: str) -> None:
    with pytest.raises(ProtocolError, match=says) as caught:
        list(unpacked_container(file))
    assert caught.value.code == code


def test_pictures_alone_are_no_sound() -> None:
    with pytest.raises(ProtocolError, match="without a sound track"):
        list(unpacked_container(picture_only()))


def test_a_codec_that_nobody_records_in_is_not_let_loose() -> None:
    with pytest.raises(ProtocolError, match="with ac3 inside"):
        list(unpacked_container(recorded("mp4", "ac3")))


def test_sound_of_days_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.audio.containers.LONGEST_S", 1.0)
    with pytest.raises(ProtocolError, match="the limit"):
        list(unpacked_container(recorded("webm", "libopus")))


def test_without_the_extra_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("appliance.audio.containers.import_module", missing)
    with pytest.raises(ProtocolError, match=r"stimme\[media\]") as caught:
        list(unpacked_container(b"\x1a\x45\xdf\xa3" + bytes(100)))
    assert caught.value.code == "not_understood"
