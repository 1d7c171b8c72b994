"""Which device is chosen, on lists of devices as PortAudio gives them."""

from __future__ import annotations

import pytest

from appliance.audio.selection import AudioDevice, candidates, capture_channels
from appliance.errors import AudioDeviceError

PI_WITH_USB_HEADSET = [
    AudioDevice(0, "vc4-hdmi-0: MAI PCM i2s-hifi-0 (hw:0,0)", 0, 8, 44_100),
    AudioDevice(1, "bcm2835 Headphones: - (hw:1,0)", 0, 8, 44_100),
    AudioDevice(2, "USB Audio Device: - (hw:2,0)", 1, 2, 44_100),
    AudioDevice(3, "sysdefault", 0, 128, 44_100),
    AudioDevice(4, "hdmi", 0, 8, 44_100),
    AudioDevice(5, "dmix", 0, 2, 48_000),
    AudioDevice(6, "default", 0, 128, 44_100, is_default=True),
]
PI_WITH_ARRAY_AND_HEADPHONES = [
    *PI_WITH_USB_HEADSET[:2],
    AudioDevice(2, "ReSpeaker 4 Mic Array (UAC1.0): USB Audio (hw:2,0)", 6, 2, 16_000),
    AudioDevice(3, "default", 6, 128, 16_000, is_default=True),
]
DESKTOP = [
    AudioDevice(0, "HDA Intel PCH: ALC256 Analog (hw:0,0)", 2, 2, 44_100),
    AudioDevice(1, "pipewire", 64, 64, 44_100),
    AudioDevice(2, "pulse", 32, 32, 44_100),
    AudioDevice(3, "default", 64, 64, 44_100, is_default=True),
]


def test_on_a_pi_the_plugged_in_card_comes_before_the_pis_own_outputs() -> None:
    assert candidates(PI_WITH_USB_HEADSET, "microphone")[0].name.startswith("USB")
    assert [device.index for device in candidates(PI_WITH_USB_HEADSET, "loudspeaker")][:3] == [2, 3, 6]


def test_headphones_come_before_hdmi() -> None:
    order = [device.index for device in candidates(PI_WITH_USB_HEADSET[:2], "loudspeaker")]
    assert order == [1, 0]


def test_a_building_block_of_alsa_is_nobodys_loudspeaker() -> None:
    assert all(device.name != "dmix" for device in candidates(PI_WITH_USB_HEADSET, "loudspeaker"))


def test_on_a_desktop_the_sound_server_decides() -> None:
    assert candidates(DESKTOP, "microphone")[0].name in ("pipewire", "pulse", "default")


def test_a_wanted_device_is_found_by_part_of_its_name() -> None:
    assert [device.index for device in candidates(PI_WITH_USB_HEADSET, "loudspeaker", "headphones")] == [1]


def test_the_exact_name_comes_before_others_that_contain_it() -> None:
    assert candidates(PI_WITH_USB_HEADSET, "loudspeaker", "default")[0].name == "default"


def test_a_wanted_device_that_is_missing_is_an_error_with_the_names_there_are() -> None:
    with pytest.raises(AudioDeviceError, match="no microphone has 'Yeti' in its name; there are: 'USB Audio Device"):
        candidates(PI_WITH_USB_HEADSET, "microphone", "Yeti")


def test_no_microphone_at_all_is_an_error_with_the_names_there_are() -> None:
    with pytest.raises(AudioDeviceError, match="no microphone is connected; there are: 'vc4-hdmi-0.*Headphones"):
        candidates(PI_WITH_USB_HEADSET[:2], "microphone")


def test_no_device_at_all_is_told() -> None:
    with pytest.raises(AudioDeviceError, match="no loudspeaker is connected; there are: none"):
        candidates([], "loudspeaker")


@pytest.mark.parametrize(
    ("inputs", "name", "channel", "expected"),
    [
        (1, "USB (hw:2,0)", 0, (1, 0)),
        (2, "Stereo (hw:2,0)", 0, (2, None)),
        (6, "ReSpeaker (hw:2,0)", 0, (1, 0)),
        (32, "pulse", 0, (1, 0)),
        (6, "ReSpeaker (hw:2,0)", 5, (5, 4)),
        (2, "Stereo (hw:2,0)", 2, (2, 1)),
    ],
)
def test_the_right_channel_is_captured(inputs: int, name: str, channel: int, expected: tuple[int, int | None]) -> None:
    assert capture_channels(AudioDevice(0, name, inputs, 0, 48_000), channel) == expected


def test_an_array_is_taken_before_the_default() -> None:
    assert candidates(PI_WITH_ARRAY_AND_HEADPHONES, "microphone")[0].inputs == 6
