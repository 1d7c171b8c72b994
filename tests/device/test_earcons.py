from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from appliance.device import earcons


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("earcon", [earcons.listening, earcons.heard])
def test_what_a_listening_microphone_hears_is_short_and_soft(earcon: Callable[[int], bytes], rate: int) -> None:
    samples = np.frombuffer(earcon(rate), "<i2").astype(np.float64)
    assert 0.06 <= len(samples) / rate <= 0.08
    assert 20 * np.log10(np.abs(samples).max() / 32768) <= earcons.SOFT_DB


@pytest.mark.parametrize("earcon", [earcons.listening, earcons.heard, earcons.refused, earcons.alarm])
def test_no_earcon_clicks(earcon: Callable[[int], bytes]) -> None:
    samples = np.frombuffer(earcon(48_000), "<i2").astype(np.int32)
    assert samples[0] == samples[-1] == 0
    assert np.abs(np.diff(samples)).max() < 0.2 * np.abs(samples).max()


def test_the_alarm_is_loud() -> None:
    samples = np.frombuffer(earcons.alarm(48_000), "<i2").astype(np.int32)
    assert np.abs(samples).max() > 0.45 * 32768
