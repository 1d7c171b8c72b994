"""What /metrics shows, to whom, and that it counts what happens."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import replace

import pytest

from appliance import turns
from appliance.audio.stats import StreamStats
from appliance.hearing.transcript import PoolStats
from appliance.server.access import Guard, Visitor
from appliance.server.http import Request
from appliance.server.metrics import Metrics
from appliance.server.routes import status_routes
from tests.support.caller import Caller
from tests.support.scrape import buckets, quantile, scrape
from tests.support.server import ROOT, RunningServer

NAMES = (
    "voice_connections",
    "voice_turn_latency_seconds_bucket",
    "voice_stt_rtf",
    "voice_queue_depth",
    "voice_dropped_frames_total",
    "voice_loop_lateness_seconds_bucket",
    "voice_recognizers",
    "voice_backlog_seconds",
    "process_resident_memory_bytes",
    "process_open_fds",
    "process_cpu_seconds_total",
)


def idle() -> PoolStats:
    return PoolStats(made=3, in_use=1, waiting=5, limit=3, audio_s=100.0, work_s=2.0)


async def test_every_name_of_the_field_is_there_after_a_turn(
    server: RunningServer, person: Caller, question: bytes
) -> None:
    await person.socket.send(b"\0\0")  # sound before start
    await person.receive("error")
    await person.say(question, pace=0)
    samples = await asyncio.to_thread(scrape, server.page_port)
    assert [name for name in NAMES if not any(name == found for found, _ in samples)] == []
    assert samples["voice_connections", ""] >= 1
    assert samples["voice_queue_depth", ""] == 0
    assert samples["voice_recognizers", "in_use"] == 0
    assert samples["voice_backlog_seconds", ""] == 0
    assert samples["voice_dropped_frames_total", "not_started"] >= 1
    assert 0 < samples["voice_stt_rtf", ""] < 5
    assert samples["voice_tts_audio_seconds_total", ""] > 0.5
    assert samples["voice_tts_synthesis_seconds_total", ""] > 0
    assert samples["voice_tts_replies", ""] == samples["voice_tts_queue_depth", ""] == 0


async def test_every_stage_of_a_turn_is_counted_once(server: RunningServer, person: Caller, question: bytes) -> None:
    stages = ("recognition", "understanding", "skill", "first_audio", "synthesis")

    async def counts() -> list[float]:
        samples = await asyncio.to_thread(scrape, server.page_port)
        return [samples.get(("voice_turn_latency_seconds_count", stage), 0.0) for stage in stages]

    before = await counts()
    await person.say(question, pace=0)
    assert [after - one for after, one in zip(await counts(), before, strict=True)] == [1.0] * len(stages)


async def test_the_lateness_of_the_loop_is_measured_while_someone_is_connected(
    server: RunningServer, person: Caller
) -> None:
    async def count() -> float:
        return max(buckets(await asyncio.to_thread(scrape, server.page_port), "voice_loop_lateness_seconds").values())

    before = await count()
    for _ in range(1000):
        if (grown := await count() - before) >= 10:
            break
    assert grown >= 10


async def test_a_blocked_loop_is_seen() -> None:
    metrics = Metrics(idle)
    watching = asyncio.create_task(metrics.watch_loop(lambda: True))
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 - the offence to be noticed
    await asyncio.sleep(0.01)
    watching.cancel()
    assert 'voice_loop_lateness_seconds_bucket{le="0.1"} 0.0' in metrics.text().decode()
    assert 'voice_loop_lateness_seconds_bucket{le="0.25"} 1.0' in metrics.text().decode()


def test_an_interrupted_reply_is_no_measurement() -> None:
    metrics = Metrics(idle)
    metrics.event(turns.SpeechEnded("1", True, 0.1, {"first_audio_ms": 5.0, "synthesis_ms": 5.0}))
    assert "voice_turn_latency_seconds_count{" not in metrics.text().decode()


def test_the_sound_cards_counters_are_shown_by_direction() -> None:
    metrics = Metrics(idle)
    metrics.add_sound(
        lambda: {
            "microphone": StreamStats(
                blocks=10, device_gaps=2, dropped_samples=320, underflows=0, lateness_counts=(7, 2, 1)
            ),
            "loudspeaker": StreamStats(
                blocks=4, device_gaps=0, dropped_samples=0, underflows=3, lateness_counts=(4, 0, 0)
            ),
        }
    )
    lines = metrics.text().decode().splitlines()
    for line in (
        'voice_audio_blocks_total{direction="microphone"} 10.0',
        'voice_audio_device_gaps_total{direction="microphone"} 2.0',
        'voice_audio_dropped_samples_total{direction="microphone"} 320.0',
        'voice_audio_underflows_total{direction="loudspeaker"} 3.0',
        'voice_audio_lateness_seconds_bucket{direction="microphone",le="1e-06"} 7.0',
        'voice_audio_lateness_seconds_bucket{direction="microphone",le="2e-06"} 9.0',
        'voice_audio_lateness_seconds_bucket{direction="microphone",le="+Inf"} 10.0',
    ):
        assert line in lines


def test_the_recognizers_state_is_read_when_it_is_asked_for() -> None:
    recognizers = idle()
    metrics = Metrics(lambda: recognizers)
    recognizers = replace(recognizers, waiting=9)
    text = metrics.text().decode()
    assert "voice_queue_depth 9.0" in text and 'voice_recognizers{state="idle"} 2.0' in text
    assert "voice_stt_rtf 0.02" in text


@pytest.mark.parametrize(("address", "allowed"), [("127.0.0.1", True), ("::1", True), ("192.168.1.9", False)])
def test_metrics_are_for_programs_on_this_device_only(address: str, allowed: bool) -> None:
    route = status_routes(Metrics(idle), lambda: True)["/metrics"]
    admitted = Guard().admit(Request("GET", "/metrics", {"host": "localhost:8080"}, address), route.needs)
    assert isinstance(admitted, Visitor) == allowed


def test_a_quantile_is_interpolated_in_its_bucket() -> None:
    assert quantile({0.001: 0.0, 0.002: 50.0, 0.004: 100.0, float("inf"): 100.0}, 75) == pytest.approx(0.003)
    assert quantile({0.001: 0.0, float("inf"): 10.0}, 99) == 0.001
    assert quantile({}, 99) == 0.0


def test_the_dashboard_asks_for_nothing_that_is_not_there() -> None:
    dashboard = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\b(?:voice|process)_[a-z_]+", target["expr"])
    }
    metrics = Metrics(idle)
    metrics.add_farm(dict)
    shown = set(re.findall(r"^# TYPE (\S+)", metrics.text().decode(), re.MULTILINE))
    assert len(asked) > 10
    assert {name.removesuffix("_bucket") for name in asked} <= shown
