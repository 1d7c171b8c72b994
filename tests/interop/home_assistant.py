"""Runs inside Home Assistant's own test environment, with its Wyoming integration, unmodified (see __main__.py)."""

from __future__ import annotations

import io
import os
import wave
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import pytest_socket
from homeassistant.components import conversation, stt
from homeassistant.core import Context
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.setup import async_setup_component

QUESTION = "what is seven times eight"
HEARD = stt.SpeechMetadata(
    "en",
    stt.AudioFormats.WAV,
    stt.AudioCodecs.PCM,
    stt.AudioBitRates.BITRATE_16,
    stt.AudioSampleRates.SAMPLERATE_16000,
    stt.AudioChannels.CHANNEL_MONO,
)


async def test_home_assistant_hears_speaks_and_answers_with_stimme(hass: Any, socket_enabled: None) -> None:
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    for component in ("homeassistant", "conversation"):
        assert await async_setup_component(hass, component, {})
    await discovered(hass, int(os.environ["STIMME_WYOMING_PORT"]))
    with wave.open(os.environ["STIMME_QUESTION"]) as file:
        pcm = file.readframes(file.getnframes())

    async def sound() -> AsyncIterator[bytes]:
        for begin in range(0, len(pcm), 2048):
            yield pcm[begin : begin + 2048]

    heard = await stt.async_get_speech_to_text_engine(hass, "stt.stimme").async_process_audio_stream(HEARD, sound())
    assert heard.text == QUESTION
    answer = await conversation.async_converse(
        hass, QUESTION, None, Context(), language="en", agent_id="conversation.stimme"
    )
    said = answer.response.speech["plain"]["speech"]
    assert "56" in said
    kind, spoken = await hass.data[DATA_INSTANCES]["tts"].get_entity("tts.stimme").async_get_tts_audio(said, "en", {})
    with wave.open(io.BytesIO(spoken)) as file:
        seconds = file.getnframes() / file.getframerate()
    assert kind == "wav" and seconds > 1
    print(f"STIMME: heard {heard.text!r}, answered {said!r}, spoken {seconds:.1f} s")


async def discovered(hass: Any, port: int) -> None:
    """What Home Assistant does when an announcement like ours comes in, and when its owner then says yes."""
    here, kind = ip_address("127.0.0.1"), "_wyoming._tcp.local."
    announced = ZeroconfServiceInfo(here, [here], port, "stimme-ab12-wyoming.local.", kind, f"stimme-ab12.{kind}", {})
    flow = await hass.config_entries.flow.async_init("wyoming", context={"source": "zeroconf"}, data=announced)
    assert flow["type"] == "form" and flow["step_id"] == "zeroconf_confirm", flow
    done = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    assert done["type"] == "create_entry" and done["data"] == {"host": "127.0.0.1", "port": port}, done
    await hass.async_block_till_done()
