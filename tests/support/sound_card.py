"""A virtual sound card: two private PulseAudio servers with a null sink each, as ALSA devices for PortAudio.

What is played into the sink "microphone" is what its monitor source, our microphone, hears; what comes out of our
loudspeaker is recorded from the monitor of the sink "loudspeaker". Two servers, because PulseAudio moves the streams
of an unplugged device to another one if there is any.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.patience import until_now

MICROPHONE, LOUDSPEAKER = "virtual-microphone", "virtual-loudspeaker"
"""Names of the two devices as PortAudio lists them."""

RATE = 48_000
RATES = {"microphone": 16_000, "loudspeaker": RATE}
"""The microphone's is what speech comes in, so that what was said arrives sample for sample."""

_ASOUND = """
pcm.{microphone} {{
  type pulse
  server "unix:{folder}/microphone.socket"
  device "microphone.monitor"
  hint {{
    show on
    description "virtual microphone"
  }}
}}
pcm.{loudspeaker} {{
  type pulse
  server "unix:{folder}/loudspeaker.socket"
  device "loudspeaker"
  hint {{
    show on
    description "virtual loudspeaker"
  }}
}}
pcm.!default {{ type null }}  # PortAudio aborts without any default
"""


@dataclass
class Recording:
    """What one side plays, as it comes."""

    process: subprocess.Popen[bytes]
    rate: int
    pieces: list[tuple[float, NDArray[np.int16]]] = field(default_factory=list)
    """(time.monotonic() on arrival, samples)"""

    def samples(self) -> NDArray[np.int16]:
        return np.concatenate([piece for _, piece in self.pieces] or [np.zeros(0, np.int16)])

    def first_sound_after(self, moment: float, level: int = 300) -> float:
        """time.monotonic() of the first sample louder than `level`, infinity if there is none."""
        times = self._sound_times(level)
        return float(min(times[times > moment], default=float("inf")))

    def last_sound_between(self, begin: float, end: float, level: int = 300) -> float:
        """time.monotonic() of the last sample louder than `level`, `begin` if all are silent."""
        times = self._sound_times(level)
        return float(max(times[(times > begin) & (times < end)], default=begin))

    def _sound_times(self, level: int) -> NDArray[np.float64]:
        """When each loud sample was played. The card plays at an even rate; who is late is the one who writes it down,
        so the most punctual piece tells when the recording began."""
        pieces = tuple(self.pieces)
        ends_s = np.cumsum([len(piece) for _, piece in pieces]) / self.rate
        began = min((at - end_s for (at, _), end_s in zip(pieces, ends_s, strict=True)), default=0.0)
        samples = np.concatenate([piece for _, piece in pieces] or [np.zeros(0, np.int16)])
        return began + np.flatnonzero(np.abs(samples.astype(np.int32)) > level) / self.rate


@dataclass
class SoundCard:
    folder: Path
    servers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def pactl(self, side: str, *arguments: str) -> str:
        return subprocess.run(
            ["pactl", *arguments], env=self.environment(side), check=True, capture_output=True, text=True, timeout=10
        ).stdout

    def environment(self, side: str) -> dict[str, str]:
        return os.environ | {"PULSE_SERVER": f"unix:{self.folder}/{side}.socket", "HOME": str(self.folder)}

    def speak(self, pcm: bytes, rate: int = 16_000) -> subprocess.Popen[bytes]:
        """Say s16le into the microphone in real time; the process ends when all of it was said."""
        process = self._run("pacat", "microphone", "--device=microphone", "--latency-msec=200", f"--rate={rate}")
        threading.Thread(target=_feed, args=(process, pcm), daemon=True).start()
        return process

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """Record what the loudspeaker plays."""
        with self._listening("loudspeaker", RATE) as recording:
            yield recording

    @contextmanager
    def for_a_browser(self) -> Iterator[Recording]:
        """The microphone's server gets a loudspeaker too, both as its defaults; records what that plays.

        Browsers know one server, and do not take a monitor for a microphone.
        """
        for module in (
            "module-remap-source source_name=headset master=microphone.monitor",
            f"module-null-sink sink_name=ears rate={RATE} channels=1 format=s16le norewinds=1",
        ):
            self.pactl("microphone", "load-module", *module.split())
        self.pactl("microphone", "set-default-source", "headset")
        self.pactl("microphone", "set-default-sink", "ears")
        with self._listening("microphone", RATE, device="ears") as recording:
            yield recording

    @contextmanager
    def cable(self) -> Iterator[None]:
        """Lets the microphone hear the loudspeaker."""
        listener = self._run(
            "parec", "loudspeaker", "--device=loudspeaker.monitor", "--latency-msec=10", "--rate=16000"
        )
        player = subprocess.Popen(
            [
                "pacat",
                "--raw",
                "--format=s16le",
                "--channels=1",
                "--device=microphone",
                "--latency-msec=40",
                "--rate=16000",
            ],
            env=self.environment("microphone"),
            stdin=listener.stdout,
        )
        try:
            yield
        finally:
            for process in (listener, player):
                process.terminate()
                process.wait()
            if listener.stdout is not None:
                listener.stdout.close()

    @contextmanager
    def stalled(self, side: str) -> Iterator[None]:
        """A driver that hangs: no sound, and no error either."""
        self.servers[side].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.servers[side].send_signal(signal.SIGCONT)

    def unplug(self, side: str) -> None:
        for line in self.pactl(side, "list", "short", "modules").splitlines():
            number, name = line.split("\t")[:2]
            if name == "module-null-sink":
                self.pactl(side, "unload-module", number)

    def plug(self, side: str) -> None:
        self.pactl(side, "load-module", *_sink(side).split())

    @contextmanager
    def awake(self, side: str) -> Iterator[None]:
        """Keep a side at low latency: a null sink nobody listens to works two seconds ahead."""
        with self._listening(side, RATES[side], keep=False):
            yield

    @contextmanager
    def overhearing(self) -> Iterator[Recording]:
        """Record what is said into the microphone, as it is said."""
        with self._listening("microphone", RATES["microphone"]) as recording:
            yield recording

    @contextmanager
    def _listening(self, side: str, rate: int, keep: bool = True, device: str = "") -> Iterator[Recording]:
        process = self._run("parec", side, f"--device={device or side}.monitor", "--latency-msec=5", f"--rate={rate}")
        recording = Recording(process, rate)
        reader = threading.Thread(target=_collect, args=(recording, keep), daemon=True)
        reader.start()
        try:
            yield recording
        finally:
            process.terminate()
            process.wait()
            reader.join()
            if process.stdout is not None:
                process.stdout.close()

    def _run(self, program: str, side: str, *arguments: str) -> subprocess.Popen[bytes]:
        is_player = program == "pacat"
        return subprocess.Popen(
            [program, "--raw", "--format=s16le", "--channels=1", *arguments],
            env=self.environment(side),
            stdin=subprocess.PIPE if is_player else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if is_player else subprocess.PIPE,
        )


def _sink(side: str) -> str:
    return f"module-null-sink sink_name={side} rate={RATES[side]} channels=1 format=s16le norewinds=1"


@contextmanager
def sound_card(folder: Path) -> Iterator[SoundCard]:
    """Start the servers, and point ALSA at them for this process and its children until exit."""
    card = SoundCard(folder)
    (folder / "asound.conf").write_text(
        _ASOUND.format(folder=folder, microphone=MICROPHONE, loudspeaker=LOUDSPEAKER), encoding="utf-8"
    )
    before = os.environ.get("ALSA_CONFIG_PATH")
    os.environ["ALSA_CONFIG_PATH"] = str(folder / "asound.conf")
    card.servers = {side: _server(card, side) for side in ("microphone", "loudspeaker")}
    try:
        for side in ("microphone", "loudspeaker"):
            _wait_for(folder / f"{side}.socket")
            _make_punctual(card.servers[side].pid)
        with card.awake("microphone"), card.awake("loudspeaker"):
            time.sleep(2)  # what the sinks had worked ahead passes
            yield card
    finally:
        for server in card.servers.values():
            server.terminate()
            server.wait()
        del os.environ["ALSA_CONFIG_PATH"]
        if before is not None:
            os.environ["ALSA_CONFIG_PATH"] = before


def _server(card: SoundCard, side: str) -> subprocess.Popen[bytes]:
    runtime = card.folder / f"run-{side}"
    runtime.mkdir(mode=0o700)
    environment = card.environment(side) | {"XDG_RUNTIME_DIR": str(runtime), "PULSE_RUNTIME_PATH": str(runtime)}
    del environment["PULSE_SERVER"]
    with (card.folder / f"{side}.log").open("wb") as log:
        return subprocess.Popen(
            [
                "pulseaudio",
                "-n",
                "--daemonize=no",
                "--exit-idle-time=-1",
                "--use-pid-file=no",
                "--disable-shm=yes",
                "--log-target=stderr",
                "--high-priority=no",
                "--realtime=no",
                "-L",
                f"module-native-protocol-unix socket={card.folder}/{side}.socket auth-anonymous=1",
                "-L",
                _sink(side),
            ],
            env=environment,
            stdout=log,
            stderr=log,
        )


def _make_punctual(pid: int) -> None:
    """Sound hardware is never late, however busy the processor is: real-time priority, where that is allowed."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with suppress(PermissionError):
            os.sched_setscheduler(int(thread), os.SCHED_FIFO, os.sched_param(20))


def _wait_for(socket: Path) -> None:
    until_now(socket.exists, lambda: f"PulseAudio did not start: {socket.with_suffix('.log').read_text()}")


def _feed(process: subprocess.Popen[bytes], pcm: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(pcm)
    process.stdin.close()


def _collect(recording: Recording, keep: bool) -> None:
    assert recording.process.stdout is not None
    descriptor, rest = recording.process.stdout.fileno(), b""
    while piece := os.read(descriptor, 65536):
        now = time.monotonic()
        piece = rest + piece
        rest = piece[len(piece) // 2 * 2 :]
        if keep:
            recording.pieces.append((now, np.frombuffer(piece[: len(piece) // 2 * 2], "<i2")))
