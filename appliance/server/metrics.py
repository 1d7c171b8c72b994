"""What /metrics shows, in the field's names: counts, stage times, how late the event loop is. Never what was said."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from appliance import turns
from appliance.audio.selection import Direction
from appliance.audio.stats import StreamStats
from appliance.guessing import Guesses
from appliance.hearing.transcript import PoolStats

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

STAGE_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LATENESS_BUCKETS_S = (
    0.00025,
    0.0005,
    0.001,
    0.002,
    0.003,
    0.004,
    0.005,
    0.0075,
    0.01,
    0.015,
    0.025,
    0.05,
    0.1,
    0.25,
    1.0,
)

LOOK_S = 0.02
"""How often the event loop's lateness is measured while someone is connected …"""
LOOK_IDLE_S = 0.5
"""… and while nobody is: an idle device should do nothing."""


class Metrics:
    """Everything that is counted. hearing: asked for the recognizers' state at each look at /metrics."""

    def __init__(self, hearing: Callable[[], PoolStats]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Recognizers(hearing))
        self.connections = Gauge("voice_connections", "Clients connected now", registry=self._registry)
        self.backlog = Gauge(
            "voice_backlog_seconds", "Sound that has arrived and was not decoded yet", registry=self._registry
        )
        self.refused = Counter(
            "voice_connections_refused",
            "Clients refused because MAX_CONNECTIONS were connected",
            registry=self._registry,
        )
        self._stages = Histogram(
            "voice_turn_latency_seconds",
            "Time a stage of a turn took; recognition counts from the end of speech",
            ["stage"],
            buckets=STAGE_BUCKETS_S,
            registry=self._registry,
        )
        self._under_way: set[str] = set()
        Gauge(
            "voice_turns_under_way", "People who are speaking or being answered", registry=self._registry
        ).set_function(lambda: len(self._under_way))
        self._turns = Counter("voice_turns", "Turns answered", ["understood"], registry=self._registry)
        self._dropped = Counter(
            "voice_dropped_frames", "Messages of sound that were not used, and why", ["reason"], registry=self._registry
        )
        self._gone = Counter(
            "voice_clients_dropped",
            "Clients that stopped reading and were dropped, and how it was noticed",
            ["reason"],
            registry=self._registry,
        )
        self._lateness = Histogram(
            "voice_loop_lateness_seconds",
            "How late the event loop wakes up",
            buckets=LATENESS_BUCKETS_S,
            registry=self._registry,
        )

    def add_voices(self, speaking: Callable[[], PoolStats]) -> None:
        """Show the voices too. speaking: asked for their state at each look at /metrics."""
        self._registry.register(_Voices(speaking))

    def add_guesses(self, guesses: Callable[[], Guesses]) -> None:
        """Show answers thought of ahead too. guesses: asked for their counts at each look at /metrics."""
        self._registry.register(_Guesses(guesses))

    def add_sound(self, sound: Callable[[], Mapping[Direction, StreamStats]]) -> None:
        """Show the device's own sound card too. sound: asked for its state at each look at /metrics."""
        self._registry.register(_Sound(sound))

    def add_farm(self, farm: Callable[[], Mapping[str, float]]) -> None:
        """Show the farm too. farm: asked for its figures by their names in _FARM at each look at /metrics."""
        self._registry.register(_Farm(farm))

    def event(self, event: turns.Event) -> None:
        """Count what a conversation reports."""
        match event:
            case turns.Listening() | turns.SpeechStarted():
                self._under_way.add(event.id)
            case turns.Answered() | turns.SpeechEnded() | turns.Cancelled() | turns.Failed():
                self._under_way.discard(event.id)
        match event:
            case turns.FinalHeard():
                self._observe(event.timings, "recognition")
            case turns.Answered():
                self._observe(event.timings, "understanding", "skill")
                self._turns.labels(str(event.understood).lower()).inc()
            case turns.SpeechEnded(interrupted=False):
                self._observe(event.timings, "first_audio", "synthesis")

    def frame_dropped(self, reason: str) -> None:
        self._dropped.labels(reason).inc()

    def client_dropped(self, reason: str) -> None:
        self._gone.labels(reason).inc()

    async def watch_loop(self, busy: Callable[[], bool]) -> None:
        """Measure how late the event loop is, for ever. busy: whether anybody would notice."""
        while True:
            period_s = LOOK_S if busy() else LOOK_IDLE_S
            due = time.perf_counter() + period_s  # uvloop's own clock counts whole milliseconds
            await asyncio.sleep(period_s)
            self._lateness.observe(max(0.0, time.perf_counter() - due))

    def text(self) -> bytes:
        """Everything in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)

    def _observe(self, timings: turns.Timings, *stages: str) -> None:
        for stage in stages:
            if f"{stage}_ms" in timings:
                self._stages.labels(stage).observe(timings[f"{stage}_ms"] / 1000)


class _Recognizers:
    """The recognizers' state, read when it is asked for."""

    def __init__(self, hearing: Callable[[], PoolStats]) -> None:
        self._hearing = hearing

    def collect(self) -> Iterator[Metric]:
        now = self._hearing()
        state = GaugeMetricFamily("voice_recognizers", "Recognizers made, by what they do", labels=["state"])
        state.add_metric(["in_use"], now.in_use)
        state.add_metric(["idle"], now.made - now.in_use)
        yield state
        yield GaugeMetricFamily("voice_queue_depth", "Utterances waiting for a recognizer", now.waiting)
        yield CounterMetricFamily("voice_stt_audio_seconds", "Sound decoded", now.audio_s)
        yield CounterMetricFamily("voice_stt_decode_seconds", "Time decoding it took, on one thread", now.work_s)
        rate = now.work_s / now.audio_s if now.audio_s else 0.0
        yield GaugeMetricFamily("voice_stt_rtf", "Real-time factor of recognition since the start", rate)


_FARM = {
    "workers": "Workers that are there",
    "lag": "Utterances that no worker has taken yet",
    "oldest_seconds": "Since when the longest unfinished utterance is open",
    "memory_ratio": "Share of what Redis may use",
    "takeovers": "Utterances and clauses that another worker took over",
    "fenced": "Results of workers that had been overtaken, refused",
    "duplicates": "Transcripts that came twice, dropped",
    "losses": "Times that this node lost Redis",
}
_COUNTED = frozenset({"takeovers", "fenced", "duplicates", "losses"})


class _Farm:
    """Several machines as one, as this web node sees it. Counters are the farm's, but for losses."""

    def __init__(self, farm: Callable[[], Mapping[str, float]]) -> None:
        self._farm = farm

    def collect(self) -> Iterator[Metric]:
        now = self._farm()
        for name, about in _FARM.items():
            family = CounterMetricFamily if name in _COUNTED else GaugeMetricFamily
            yield family(f"voice_farm_{name}", about, value=now.get(name, 0.0))


class _Voices:
    """The voices' state, read when it is asked for."""

    def __init__(self, speaking: Callable[[], PoolStats]) -> None:
        self._speaking = speaking

    def collect(self) -> Iterator[Metric]:
        now = self._speaking()
        yield GaugeMetricFamily("voice_tts_replies", "Replies being spoken now", now.in_use)
        yield GaugeMetricFamily("voice_tts_queue_depth", "Pieces of replies waiting for a thread", now.waiting)
        yield CounterMetricFamily("voice_tts_audio_seconds", "Sound synthesised", now.audio_s)
        yield CounterMetricFamily("voice_tts_synthesis_seconds", "Time synthesis took, on one thread", now.work_s)


class _Guesses:
    """Answers thought of before the end was certain, and what the wrong ones cost."""

    def __init__(self, guesses: Callable[[], Guesses]) -> None:
        self._guesses = guesses

    def collect(self) -> Iterator[Metric]:
        now = self._guesses()
        made = CounterMetricFamily("voice_guesses", "Answers thought of before the end was certain", labels=["result"])
        made.add_metric(["used"], now.used)
        made.add_metric(["discarded"], now.discarded)
        yield made
        yield CounterMetricFamily("voice_guesses_wasted_seconds", "Time spent on discarded ones", now.wasted_s)


class _Sound:
    """The audio callbacks' counters. They begin anew when a card is opened anew, as Prometheus expects of counters."""

    def __init__(self, sound: Callable[[], Mapping[Direction, StreamStats]]) -> None:
        self._sound = sound

    def collect(self) -> Iterator[Metric]:
        now = self._sound()
        yield _by_direction("blocks", "Blocks that the sound card handled", now, lambda one: one.blocks)
        yield _by_direction(
            "device_gaps", "Blocks before which the sound card lost or missed sound", now, lambda one: one.device_gaps
        )
        yield _by_direction("dropped_samples", "Samples nobody fetched in time", now, lambda one: one.dropped_samples)
        yield _by_direction("underflows", "Gaps in replies: the voice was late", now, lambda one: one.underflows)
        late = HistogramMetricFamily(
            "voice_audio_lateness_seconds", "How late the sound card's callbacks came", labels=["direction"]
        )
        for direction, one in now.items():
            bounds = [repr(2**bucket / 1e6) for bucket in range(len(one.lateness_counts) - 1)] + ["+Inf"]
            counts = [float(count) for count in itertools.accumulate(one.lateness_counts)]
            late.add_metric([direction], list(zip(bounds, counts, strict=True)), None)
        yield late


def _by_direction(
    name: str, about: str, now: Mapping[Direction, StreamStats], value: Callable[[StreamStats], int]
) -> Metric:
    family = CounterMetricFamily(f"voice_audio_{name}", about, labels=["direction"])
    for direction, one in now.items():
        family.add_metric([direction], value(one))
    return family
