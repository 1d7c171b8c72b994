"""Programs that nobody here wrote, unmodified, each in an environment of its own, against the real server. Nightly.

    python -m tests.interop [--python PYTHON] [NAME …]

PYTHON: 3.12 or newer, for the environments below build/interop; they are made once (network). Home Assistant comes in
the newest version that this Python can run: 2026.10 needs 3.14, and a C++ compiler. Prints what each program got; exit
code 1 if one of them got something else than it should.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import soundfile
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.tts import Synthesize

from appliance.audio.pcm import RATE, write_wav
from tests.support.programs import wav
from tests.support.server import ROOT, RunningServer, running_server
from tests.support.speech import spoken_now, word_errors

FOLDER = ROOT / "build" / "interop"
QUESTION = "what is seven times eight"
SETTINGS = {"STIMME_WYOMING": "1", "STIMME_WYOMING_PORT": "0", "STIMME_OPENAI": "1"}
START_S = 60
INTEGRATIONS = ("wyoming", "conversation", "stt", "tts", "homeassistant")
"""Of Home Assistant, with what they depend on; their own requirements are installed in the versions that they name."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*PROGRAMS])
    parser.add_argument("--python", default=shutil.which("python3.13") or shutil.which("python3.12") or "python3")
    options = parser.parse_args()
    failed = 0
    (pcm,) = spoken_now([QUESTION])
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_wav(FOLDER / "question.wav", pcm, RATE)
    with running_server(SETTINGS) as server:
        for name in options.names:
            package, check = PROGRAMS[name]
            try:
                print(f"{name}: {check(environment(options.python, package), server, pcm)}", flush=True)
            except (AssertionError, OSError, TimeoutError, subprocess.SubprocessError, EOFError) as error:
                failed += 1
                print(f"{name}: FAILED: {error!r}", flush=True)
    return 1 if failed else 0


def environment(python: str, package: str) -> Path:
    """The folder of an environment's programs; made if it is not there."""
    folder = FOLDER / re.sub(r"\W+", "-", package)
    if not (folder / "made").exists():
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "-q", package], check=True)
        for components in folder.glob("lib/*/site-packages/homeassistant/components"):
            constraints = str(components.parent / "package_constraints.txt")
            parts = sorted(requirements(components, INTEGRATIONS))
            subprocess.run([str(folder / "bin" / "pip"), "install", "-q", "-c", constraints, *parts], check=True)
        (folder / "made").touch()
    return folder / "bin"


def requirements(components: Path, names: Sequence[str]) -> set[str]:
    """What integrations install by themselves when they are set up, and those that they depend on."""
    found: set[str] = set()
    for name in names:
        manifest = json.loads((components / name / "manifest.json").read_text())
        found |= set(manifest.get("requirements", [])) | requirements(components, manifest.get("dependencies", []))
    return found


def wyoming_port(server: RunningServer) -> int:
    match = re.search(r"for programs: wyoming at [^:]+:(\d+)", server.log.read_text())
    assert match, "Wyoming is not spoken"
    return int(match[1])


def token(server: RunningServer) -> str:
    request = urllib.request.Request(
        f"{server.page}/paired/add", json.dumps({"name": "interop"}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["token"])


@contextmanager
def started(command: Sequence[str], port: int, **settings: str) -> Iterator[None]:
    """A program that listens at a port while the block runs."""
    with (FOLDER / "log.txt").open("w") as log:
        process = subprocess.Popen(command, env=os.environ | settings, cwd=FOLDER, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START_S
            while process.poll() is None and time.monotonic() < deadline:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            else:
                raise TimeoutError((FOLDER / "log.txt").read_text()[-2000:])
            yield
        finally:
            process.terminate()
            process.wait(10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def close_to(text: str, what: str) -> str:
    wrong, words = word_errors(QUESTION, re.sub(r"[^\w ]", "", text.lower()))
    assert wrong <= 1, f"{what}: {text!r}"
    return f"{what} {words - wrong} of {words} words"


# wyoming-openai-gateway: OpenAI's API on its side, Wyoming towards us


def gateway(programs: Path, server: RunningServer, pcm: bytes) -> str:
    at, ours = free_port(), wyoming_port(server)
    settings = {
        "TTS_HOST": "127.0.0.1",
        "TTS_PORT": str(ours),
        "STT_HOST": "127.0.0.1",
        "STT_PORT": str(ours),
        "HOST": "127.0.0.1",
        "PORT": str(at),
    }
    with started([str(programs / "wyoming-openai-gateway")], at, **settings):
        text = posted_form(f"http://127.0.0.1:{at}/v1/audio/transcriptions", wav(pcm))
        request = urllib.request.Request(
            f"http://127.0.0.1:{at}/v1/audio/speech",
            json.dumps(
                {"model": "tts-1", "voice": "en_US-joe-medium", "input": QUESTION, "response_format": "wav"}
            ).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            sound = answer.read()
        seconds = sound_seconds(sound)
        assert seconds > 1, f"{seconds} s of speech"
    return f"{close_to(text, 'heard')}, spoken {seconds:.1f} s"


def posted_form(url: str, file: bytes) -> str:
    body = (
        b'--m\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--m\r\n'
        b'Content-Disposition: form-data; name="language"\r\n\r\nen\r\n--m\r\n'
        b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
        + file
        + b"\r\n--m--\r\n"
    )
    request = urllib.request.Request(url, body, {"Content-Type": "multipart/form-data; boundary=m"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.load(answer)["text"])
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url}: {error.status} {error.read()[:300]!r}") from None


def sound_seconds(file: bytes) -> float:
    sound, rate = soundfile.read(io.BytesIO(file), frames=10_000_000)
    return len(sound) / float(rate)


# wyoming-openai: Wyoming on its side, OpenAI's API towards us


def proxy(programs: Path, server: RunningServer, pcm: bytes) -> str:
    at, key = free_port(), token(server)
    command = [
        str(programs / "python"),
        "-m",
        "wyoming_openai",
        "--uri",
        f"tcp://127.0.0.1:{at}",
        "--languages",
        "en",
        "--stt-openai-key",
        key,
        "--stt-openai-url",
        f"{server.page}/v1",
        "--stt-models",
        "whisper-1",
        "--tts-openai-key",
        key,
        "--tts-openai-url",
        f"{server.page}/v1",
        "--tts-models",
        "tts-1",
        "--tts-voices",
        "en_US-joe-medium",
    ]
    with started(command, at):
        return asyncio.run(through_wyoming(at, pcm))


async def through_wyoming(at: int, pcm: bytes) -> str:
    async with asyncio.timeout(60):
        async with AsyncTcpClient("127.0.0.1", at) as client:
            await client.write_event(Transcribe(language="en").event())
            await client.write_event(AudioStart(rate=RATE, width=2, channels=1).event())
            await client.write_event(AudioChunk(RATE, 2, 1, pcm).event())
            await client.write_event(AudioStop().event())
            while not Transcript.is_type((event := await client.read_event() or closed()).type):
                pass
            text = Transcript.from_event(event).text
        size, rate = 0, 1
        async with AsyncTcpClient("127.0.0.1", at) as client:
            await client.write_event(Synthesize(QUESTION).event())
            while (event := await client.read_event() or closed()).type != "audio-stop":
                if AudioChunk.is_type(event.type):
                    chunk = AudioChunk.from_event(event)
                    size, rate = size + len(chunk.audio), chunk.rate
    assert size / 2 / rate > 1, f"{size / 2 / rate:.1f} s of speech"
    return f"{close_to(text, 'heard')}, spoken {size / 2 / rate:.1f} s"


def closed() -> NoReturn:
    raise EOFError("the connection was closed")


# wyoming-bench: measures servers of Wyoming


def bench(programs: Path, server: RunningServer, pcm: bytes) -> str:
    """Its own look at what is offered, and its own measurement of speech both ways."""
    at, told = f"127.0.0.1:{wyoming_port(server)}", ""
    for arguments in (["info", at], ["tts", at, "--rounds", "2", "--texts", QUESTION]):
        done = subprocess.run(
            [str(programs / "wyoming-bench"), *arguments], capture_output=True, text=True, timeout=120, check=False
        )
        told = done.stdout
        assert done.returncode == 0 and "stimme" in told.lower() and "unavailable" not in told, (
            told[-1000:] + done.stderr[-500:]
        )
    return "what is offered, and speech with and without streaming\n" + told


# Home Assistant itself, in the environment that its integrations are tested in


def home_assistant(programs: Path, server: RunningServer, pcm: bytes) -> str:
    settings = {
        "STIMME_WYOMING_PORT": str(wyoming_port(server)),
        "STIMME_QUESTION": str(FOLDER / "question.wav"),
        "PYTHONPATH": "",
    }
    shutil.copy(Path(__file__).with_name("home_assistant.py"), FOLDER / "test_home_assistant.py")
    done = subprocess.run(
        [
            str(programs / "python"),
            "-m",
            "pytest",
            "-q",
            "-s",
            "--asyncio-mode=auto",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            f"--rootdir={FOLDER}",
            str(FOLDER / "test_home_assistant.py"),
        ],
        env=os.environ | settings,
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    told = re.search(r"STIMME: (.*)", done.stdout)
    assert done.returncode == 0 and told, done.stdout[-1500:] + done.stderr[-500:]
    version = next(programs.parent.glob("lib/*/site-packages/homeassistant-*.dist-info")).name.split("-")[1]
    return f"{version.removesuffix('.dist')}: {told[1]}"


Check = Callable[[Path, RunningServer, bytes], str]
PROGRAMS: dict[str, tuple[str, Check]] = {
    "gateway": ("wyoming-openai-gateway", gateway),
    "proxy": ("wyoming-openai", proxy),
    "bench": ("wyoming-bench", bench),
    "home-assistant": ("pytest-homeassistant-custom-component", home_assistant),
}

if __name__ == "__main__":
    sys.exit(main())
