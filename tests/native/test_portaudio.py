"""The callbacks in PortAudio's own thread, on a virtual sound card whose loudspeaker is its microphone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.native.toolchain import ROOT, require, run
from tests.support.patience import until_now

pytestmark = pytest.mark.timeout(300)
ALSA_CONFIGURATION = """
</usr/share/alsa/alsa.conf>
pcm.stimme_speaker { type pulse device "virtual" hint { show on description "virtual loudspeaker" } }
pcm.stimme_microphone { type pulse device "virtual.monitor" hint { show on description "virtual microphone" } }
"""


@pytest.fixture
def sound_card(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment in which ALSA knows the virtual card of a PulseAudio that belongs to this test alone."""
    socket = tmp_path / "native.socket"
    (tmp_path / "asound.conf").write_text(ALSA_CONFIGURATION)
    environment = {
        "XDG_RUNTIME_DIR": str(tmp_path),
        "HOME": str(tmp_path),
        "PULSE_SERVER": f"unix:{socket}",
        "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf"),
    }
    plain = {"LD_PRELOAD": ""}  # only the session itself runs under a sanitizer (test_sanitized.py)
    server = subprocess.Popen(
        [
            *(require("pulseaudio"), "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"),
            *("--disallow-exit", "--realtime=no", "--high-priority=no"),
            f"--load=module-native-protocol-unix auth-anonymous=1 socket={socket}",
            "--load=module-null-sink sink_name=virtual rate=16000 channels=1 format=s16le",
        ],
        env=os.environ | environment | plain,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until_now(lambda: run(require("pactl"), "info", **environment, **plain).returncode == 0 or server.poll())
        assert server.poll() is None, "PulseAudio did not start"
        yield environment
    finally:
        server.terminate()
        server.communicate(timeout=10)


def test_what_is_played_through_portaudio_is_captured_sample_for_sample(
    tmp_path: Path, sound_card: dict[str, str]
) -> None:
    said = np.random.default_rng(5).integers(-20000, 20000, 24000).astype("<i2")
    said[0] = 20000  # no leading silence, which could not be told from the card's
    said.tofile(tmp_path / "said.raw")
    process = run(
        *(sys.executable, "-m", "tests.native.portaudio_session", "stimme_speaker", "stimme_microphone"),
        tmp_path / "said.raw",
        **sound_card,
        PYTHONPATH=str(ROOT),
    )
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout.splitlines()[-1])
    heard = np.fromfile(tmp_path / "said.heard", "<i2")
    start = int(np.argmax(heard != 0))
    np.testing.assert_array_equal(heard[start : start + len(said)], said)
    assert result["asleep_while_disarmed"]
    assert result["drained_wakeup"]
    assert result["played"] == len(said)
    assert (result["overflows"], result["dropped"], result["underflows"]) == (0, 0, 0)
    assert 0 < result["first_block_after_arming_ms"]
    assert sum(result["lateness_counts"]) == result["blocks"] - 1
