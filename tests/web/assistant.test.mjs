import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../web/core/connection.js";
import { EnhancedVoiceAssistant } from "../../web/core/EnhancedVoiceAssistant.js";
import { AdaptiveQuality, OPTIMIZATION_CONFIGS } from "../../web/core/quality.js";
import { TEXTS } from "../../web/core/texts.js";
import { FakeClock, FakeLoudspeaker, FakeMicrophone, FakeNetwork, settle } from "./fakes.mjs";

async function house(options = {}) {
  const [network, clock, microphone, loudspeaker] = [new FakeNetwork(), new FakeClock(), new FakeMicrophone(), new FakeLoudspeaker()];
  const assistant = new EnhancedVoiceAssistant(options, (config) => ({
    connection: new Connection({
      url: config().wsUrl, maxAttempts: () => config().maxReconnectAttempts, WebSocket: network.WebSocket, clock, random: () => 0.5,
    }),
    quality: new AdaptiveQuality(config()), microphone, loudspeaker, clock,
  }));
  const turns = [];
  assistant.onchange = (what, detail) => what === "turn" && !turns.includes(detail) && turns.push(detail);
  const ready = assistant.initialize();
  await settle();
  network.taken();
  return { assistant, network, clock, microphone, loudspeaker, turns, ready, say: (message) => network.socket.say(message) };
}

/** Press, say `bytes` of PCM, release; returns the turn. */
async function speak({ assistant, microphone, turns }, bytes = 3200) {
  await assistant.startRecording();
  microphone.say(bytes);
  await assistant.stopRecording();
  return turns.at(-1);
}

function answer({ say }, id, text = "Three o'clock.") {
  say({ type: "final", id, text: "what time is it", processing_time_ms: 10, timings: { recognition_ms: 10 } });
  say({ type: "answer", id, text, heard: "what time is it", processing_time_ms: 12, timings: { recognition_ms: 10, skill_ms: 2 } });
}

const types = (messages) => messages.map((message) => message.type ?? message);

test("initialize is true once connected", async () => {
  const { ready, assistant } = await house();
  assert.equal(await ready, true);
  assert.equal(assistant.getMetrics().connected, true);
});

test("a spoken turn goes out as start, audio, stop and comes back as transcript and reply", async () => {
  const home = await house();
  const turn = await speak(home);
  assert.deepEqual(types(home.network.taken()), ["hello", "start", 3200, "stop"]);
  assert.equal(home.assistant.state, "thinking");
  home.say({ type: "partial", id: turn.id, text: "what" });
  assert.equal(turn.heard, "what");
  answer(home, turn.id);
  assert.deepEqual([turn.heard, turn.reply, turn.outcome], ["what time is it", "Three o'clock.", "answered"]);
  assert.deepEqual(home.assistant.getMetrics().lastTurn.stages, { recognition_ms: 10, skill_ms: 2 });
  assert.equal(home.assistant.state, "idle");
});

test("a typed turn goes out as text in the page's language", async () => {
  const home = await house({ language: "de" });
  await home.assistant.sendText("wie spät ist es");
  const sent = home.network.taken();
  assert.deepEqual(types(sent), ["hello", "text"]);
  assert.deepEqual([sent[1].text, sent[1].language], ["wie spät ist es", "de"]);
});

test("the device learns the loudspeaker's rate before the first question", async () => {
  const home = await house();
  await home.assistant.sendText("hello");
  assert.equal(home.network.taken()[0].reply_rate, 48000);
});

test("the elements of the page are kept up to date", async () => {
  const home = await house();
  const pressed = [];
  const recordButton = { setAttribute: (_, value) => pressed.push(value), classList: { toggle() {} } };
  home.assistant.ui = { statusElement: {}, responseElement: {}, recordButton };
  const { id } = await speak(home);
  assert.equal(home.assistant.ui.statusElement.textContent, TEXTS.en.status.thinking);
  answer(home, id);
  assert.equal(home.assistant.ui.responseElement.textContent, "Three o'clock.");
  assert.ok(pressed.includes("true") && pressed.at(-1) === "false");
});

test("reply audio goes to the loudspeaker and the state is speaking until it has sounded", async () => {
  const home = await house();
  const { id } = await speak(home);
  answer(home, id);
  home.say({ type: "speech_start", id, sample_rate: 48000 });
  home.network.socket.onmessage({ data: new ArrayBuffer(640) });
  home.say({ type: "speech_end", id, interrupted: false });
  assert.deepEqual(home.loudspeaker.heard, [`begin ${id} at 48000`, 640, "end"]);
  assert.equal(home.assistant.state, "speaking");
  home.loudspeaker.ondrained({ id });
  assert.equal(home.assistant.state, "idle");
});

test("pressing while a reply is spoken silences it at once, and what still arrives of it is not played", async () => {
  const home = await house();
  const { id } = await speak(home);
  answer(home, id);
  home.say({ type: "speech_start", id, sample_rate: 48000 });
  const pressed = home.assistant.startRecording();
  assert.equal(home.loudspeaker.heard.at(-1), "flush");
  await pressed;
  home.network.socket.onmessage({ data: new ArrayBuffer(640) });
  home.say({ type: "speech_end", id, interrupted: true });
  assert.equal(home.loudspeaker.heard.at(-1), "flush");
  assert.equal(home.assistant.state, "listening");
});

test("speech of an older turn that begins after the press is not played", async () => {
  const home = await house();
  const first = await speak(home);
  await home.assistant.startRecording();
  answer(home, first.id);
  home.say({ type: "speech_start", id: first.id, sample_rate: 48000 });
  assert.deepEqual(home.loudspeaker.heard, []);
});

test("a drop in mid-utterance: all audio so far is said again, then the rest", async () => {
  const home = await house();
  await home.assistant.startRecording();
  home.microphone.say(1024);
  home.network.drop({ reachable: false });
  home.microphone.say(2048);
  await home.clock.pass(1000);
  home.network.reachable = true;
  await home.clock.pass(3000);
  home.microphone.say(512);
  await home.assistant.stopRecording();
  assert.deepEqual(types(home.network.taken()), ["hello", "start", 1024, 2048, 512, "stop"]);
});

test("a drop between release and transcript: the whole utterance is said again under the same id", async () => {
  const home = await house();
  const turn = await speak(home, 40000);
  home.network.drop();
  await home.clock.pass(1000);
  const [, start, ...rest] = home.network.taken();
  assert.deepEqual([start.type, start.id], ["start", turn.id]);
  assert.deepEqual(types(rest), [32768, 7232, "stop"]);
  answer(home, turn.id);
  assert.equal(turn.outcome, "answered");
});

test("a drop between transcript and answer: the same is said again under the same id, and told its answer", async () => {
  const home = await house();
  const turn = await speak(home, 40000);
  home.say({ type: "final", id: turn.id, text: "set a timer" });
  home.network.drop();
  await home.clock.pass(1000);
  const [, start, ...rest] = home.network.taken();
  assert.deepEqual([start.type, start.id], ["start", turn.id]);
  assert.deepEqual(types(rest), [32768, 7232, "stop"]);
  answer(home, turn.id);
  assert.equal(turn.outcome, "answered");
});

test("after a drop the page gives its session back, so that the device knows it again", async () => {
  const home = await house();
  assert.equal(home.network.taken().at(-1)?.session, undefined);
  home.say({ type: "welcome", version: 1, language: "en", languages: ["en"], spoken: { en: true }, max_audio_duration_s: 30, session: "s3cret" });
  home.network.drop();
  await home.clock.pass(1000);
  const [hello] = home.network.taken();
  assert.deepEqual([hello.type, hello.session], ["hello", "s3cret"]);
});

test("after ten seconds without the device the turn ends with a clear message", async () => {
  const home = await house({ language: "de" });
  const turn = await speak(home);
  home.network.drop({ reachable: false });
  await home.clock.pass(9000);
  assert.equal(turn.outcome, "open");
  await home.clock.pass(1500);
  assert.deepEqual([turn.outcome, turn.reply], ["failed", TEXTS.de.errors.connection_lost]);
});

test("a turn begun while the connection is away is asked when it is back", async () => {
  const home = await house();
  home.network.drop({ reachable: false });
  await home.assistant.sendText("hello");
  home.network.reachable = true;
  await home.clock.pass(5000);
  assert.deepEqual(types(home.network.taken()), ["hello", "text"]);
});

test("when the microphone is refused the person learns why and no utterance begins", async () => {
  const home = await house();
  home.microphone.refusal = Object.assign(new Error("no"), { code: "denied" });
  assert.equal(await home.assistant.startRecording(), false);
  assert.equal(home.assistant.notice, TEXTS.en.errors.microphone_denied);
  assert.equal(home.assistant.isRecording, false);
  assert.deepEqual(types(home.network.taken()), ["hello"]);
});

test("where the device has no recognizer for the language, the microphone stays closed and the person learns why", async () => {
  const home = await house({ language: "de" });
  const spoken = { en: true, de: false };
  home.say({ type: "welcome", version: 1, language: "de", languages: ["en", "de"], spoken, max_audio_duration_s: 30 });
  assert.equal(await home.assistant.startRecording(), false);
  assert.equal(home.assistant.notice, TEXTS.de.errors.no_recognizer);
  assert.equal(home.microphone.open, false);
});

test("released before the microphone was open: nothing is recorded", async () => {
  const home = await house();
  let open;
  home.microphone.gate = new Promise((resolve) => (open = resolve));
  const started = home.assistant.startRecording();
  assert.equal(home.assistant.state, "opening");
  await home.assistant.stopRecording();
  open();
  assert.equal(await started, false);
  assert.equal(home.assistant.state, "idle");
  assert.equal(home.microphone.recording, false);
});

test("pressing again before the last samples are on their way keeps the two utterances apart", async () => {
  const home = await house();
  let flushed;
  home.microphone.flushGate = new Promise((resolve) => (flushed = resolve));
  await home.assistant.startRecording();
  const [released, pressed] = [home.assistant.stopRecording(), home.assistant.startRecording()];
  await settle();
  home.microphone.say(100);
  flushed();
  await Promise.all([released, pressed]);
  home.microphone.say(200);
  assert.deepEqual(types(home.network.taken()), ["hello", "start", 100, "stop", "start", 200]);
});

test("where no sound comes out, a reply is shown, nobody waits for its end, and it says so", async () => {
  const home = await house();
  home.loudspeaker.isOpen = false;
  await home.assistant.sendText("hello");
  const { id } = home.turns.at(-1);
  home.say({ type: "answer", id, text: "Hello." });
  home.say({ type: "speech_start", id, sample_rate: 16000 });
  assert.equal(home.assistant.state, "idle");
  assert.deepEqual(home.loudspeaker.heard, []);
});

const WELCOME = { type: "welcome", version: 1, language: "en", languages: ["en"], spoken: { en: true }, max_audio_duration_s: 30 };

test("after a tap the device may end the utterance, and the page stops listening", async () => {
  const home = await house();
  await home.assistant.startRecording();
  home.assistant.endBySilence();
  home.microphone.say(1024);
  const turn = home.turns.at(-1);
  const starts = home.network.taken().filter(({ type }) => type === "start");
  assert.deepEqual(starts.map(({ id, endpoint }) => [id, endpoint]), [[turn.id, undefined], [turn.id, "auto"]]);
  home.say({ type: "paused", id: turn.id, silence_ms: 200, of_ms: 1200 });
  assert.deepEqual(home.assistant.endsIn, { leftMs: 1000, ofMs: 1200 });
  home.say({ type: "paused", id: turn.id, silence_ms: 0, of_ms: 0 });
  assert.equal(home.assistant.endsIn, null, "they go on");
  home.say({ type: "endpoint", id: "another", reason: "silence" });
  assert.equal(home.assistant.isRecording, true);
  home.say({ type: "endpoint", id: turn.id, reason: "silence" });
  await settle();
  assert.equal(home.assistant.isRecording, false);
  answer(home, turn.id);
  assert.equal(turn.outcome, "answered");
});

test("who goes on after an end that was none is listened to by the turn that the device has begun", async () => {
  const home = await house();
  await home.assistant.startRecording();
  home.assistant.endBySilence();
  home.microphone.say(1024);
  const turn = home.turns.at(-1);
  home.say({ type: "endpoint", id: turn.id, reason: "complete" });
  await settle();
  answer(home, turn.id);
  home.network.taken();
  home.microphone.say(1024);
  assert.equal(home.network.taken().length, 1, "its sound goes on");
  home.say({ type: "listening", id: `${turn.id}+`, continues: turn.id });
  assert.equal(home.assistant.isRecording, true);
  const rest = home.turns.at(-1);
  assert.deepEqual([rest.id, rest.audioBytes, rest.endpoint], [`${turn.id}+`, 1024, "auto"]);
  home.say({ type: "endpoint", id: rest.id, reason: "complete" });
  answer(home, rest.id);
  assert.equal(rest.outcome, "answered");
  await home.clock.pass(1200);
  await settle();
  home.network.taken();
  home.microphone.say(1024);
  assert.deepEqual(home.network.taken(), [], "after a second it does not");
});

/** Tap, say something, and be asked back; the question has been heard to its end. */
async function askedBack(home, tapped = true) {
  await home.assistant.startRecording();
  if (tapped) home.assistant.endBySilence();
  home.microphone.say(1024);
  const turn = home.turns.at(-1);
  if (tapped) home.say({ type: "endpoint", id: turn.id, reason: "silence" });
  else home.assistant.stopRecording();
  await settle();
  home.say({ type: "final", id: turn.id, text: "set a timer" });
  home.say({ type: "answer", id: turn.id, text: "For how long?", heard: "set a timer", asks: true });
  home.say({ type: "speech_start", id: turn.id, sample_rate: 48000 });
  home.say({ type: "speech_end", id: turn.id, interrupted: false });
  home.network.taken();
  home.loudspeaker.ondrained({ id: turn.id });
  await settle();
  return turn;
}

test("a question is answered without a press, and the device ends that too", async () => {
  const home = await house();
  const asked = await askedBack(home);
  const next = home.turns.at(-1);
  assert.notEqual(next, asked);
  assert.equal(home.assistant.state, "listening");
  assert.equal(home.network.taken().filter(({ type }) => type === "start").at(-1).endpoint, "auto");
  home.say({ type: "partial", id: next.id, text: "ten" });
  await home.clock.pass(6000);
  assert.equal(home.assistant.isRecording, true);
});

test("whoever says nothing to a question is not answered", async () => {
  const home = await house();
  await askedBack(home);
  await home.clock.pass(5000);
  await settle();
  assert.equal(home.assistant.isRecording, false);
  assert.deepEqual(home.network.taken().map(({ type }) => type).filter((type) => type === "stop" || type === "cancel"), ["cancel"]);
});

test("who holds the button to talk holds it to answer", async () => {
  const home = await house();
  const asked = await askedBack(home, false);
  assert.equal(home.turns.at(-1), asked);
  assert.equal(home.assistant.isRecording, false);
});

test("a tap while the microphone is still opening counts from the beginning, and after a drop", async () => {
  const home = await house();
  const opening = home.assistant.startRecording();
  home.assistant.endBySilence();
  await opening;
  home.network.drop();
  await home.clock.pass(1000);
  const starts = home.network.taken().filter(({ type }) => type === "start");
  assert.deepEqual(starts.map(({ endpoint }) => endpoint), ["auto"]);
});

test("the device's chunk size is in force until a person chooses one", async () => {
  const home = await house();
  home.say({ ...WELCOME, chunk_size: 2048 });
  const { audio } = home.assistant.getMetrics();
  assert.deepEqual([audio.chunkSize, audio.chunkIntervalMs, audio.chosenPreset], [2048, 100, "stable"]);
  home.say({ ...WELCOME, chunk_size: 768 });
  assert.deepEqual([home.assistant.config.chunkSize, home.assistant.config.chunkIntervalMs], [768, 38]);
  Object.assign(home.assistant.config, OPTIMIZATION_CONFIGS.ultraLow);
  home.say({ ...WELCOME, chunk_size: 2048 });
  assert.equal(home.assistant.config.chunkSize, 512);
});

test("the chunk size that a page of one's own asks for stays", async () => {
  const home = await house({ chunkSize: 1024, chunkIntervalMs: 50 });
  home.say({ ...WELCOME, chunk_size: 2048 });
  assert.equal(home.assistant.config.chunkSize, 1024);
});

test("an unplugged microphone ends the utterance with what was heard", async () => {
  const home = await house();
  await home.assistant.startRecording();
  home.microphone.say(1024);
  home.microphone.close({ lost: true });
  await settle();
  assert.deepEqual(types(home.network.taken()).slice(1), ["start", 1024, "stop"]);
  assert.equal(home.assistant.notice, TEXTS.en.errors.microphone_lost);
});

test("an utterance that is too long is stopped here too, and answered", async () => {
  const home = await house();
  await home.assistant.startRecording();
  const turn = home.turns.at(-1);
  home.say({ type: "error", code: "audio_too_long", message: "30 s", id: turn.id });
  await settle();
  assert.equal(home.assistant.isRecording, false);
  assert.equal(turn.outcome, "open");
});

test("an error of a turn ends it with words", async () => {
  const home = await house();
  const turn = await speak(home);
  home.say({ type: "error", code: "internal", message: "bug", id: turn.id });
  assert.deepEqual([turn.outcome, turn.reply], ["failed", TEXTS.en.errors.internal]);
});

test("cancelling forgets the utterance", async () => {
  const home = await house();
  await home.assistant.startRecording();
  home.microphone.say(1024);
  await home.assistant.cancelRecording();
  assert.equal(home.network.taken().at(-1).type, "cancel");
  assert.equal(home.assistant.state, "idle");
});

test("the volume the device announces is the loudspeaker's", async () => {
  const home = await house();
  home.say({ type: "volume", percent: 35 });
  assert.equal(home.loudspeaker.volume, 0.35);
});

test("an announcement may sound, though nobody asked", async () => {
  const home = await house();
  home.say({ type: "announce", id: "a1", kind: "timer", text: "Your timer is done.", language: "en" });
  home.say({ type: "speech_start", id: "a1", sample_rate: 48000 });
  assert.deepEqual(home.loudspeaker.heard, ["begin a1 at 48000"]);
});

test("assigning a preset to the config takes effect while running", async () => {
  const { assistant, microphone } = await house();
  const before = microphone.configured;
  Object.assign(assistant.config, OPTIMIZATION_CONFIGS.ultraLow);
  assert.equal(assistant.getMetrics().audio.chunkSize, 512);
  assert.ok(microphone.configured > before);
});

test("replacing the config takes effect while running, as the guide's remedies do", async () => {
  const { assistant } = await house();
  assistant.config = { ...assistant.config, chunkSize: 2048, chunkIntervalMs: 100, maxReconnectAttempts: 10 };
  assistant.config = Object.assign(assistant.config, OPTIMIZATION_CONFIGS.stable);
  const { audio } = assistant.getMetrics();
  assert.deepEqual([audio.chunkSize, audio.chunkIntervalMs, audio.preset], [2048, 100, "stable"]);
});

test("a setting out of range is refused with its name, value and what was expected", async () => {
  const { assistant } = await house();
  assert.throws(() => (assistant.config.chunkSize = 1023), /chunkSize is 1023, expected an even number of bytes/);
  assert.throws(() => new EnhancedVoiceAssistant({ wsUrl: "http://x" }), /wsUrl is http:\/\/x, expected a ws/);
  assert.equal(assistant.config.chunkSize, 1024);
});

test("a slow network changes the chunk size in force and the overlay's numbers", async () => {
  const { assistant, network, clock } = await house();
  network.answersPings = false;
  const slowly = (socket) => {
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      const message = typeof data === "string" && JSON.parse(data);
      if (message.type === "ping") clock.setTimeout(() => socket.say({ type: "pong", timestamp: message.timestamp }), 300);
      else send(data);
    };
  };
  slowly(network.socket);
  await clock.pass(10000);
  for (let i = 0; i < 2; i++) {
    assistant.streamer.ping();
    await clock.pass(400);
  }
  assert.equal(assistant.getMetrics().audio.preset, "stable");
  assert.equal(assistant.config.chunkSize, 1024);
});

test("benchmarkLatency returns real round trips", async () => {
  const { assistant, clock } = await house();
  const measuring = assistant.benchmarkLatency(3);
  await clock.pass(1000);
  const { avg, min, max, results } = await measuring;
  assert.equal(results.length, 3);
  assert.ok(min <= avg && avg <= max);
});

test("onResponse can be replaced and sees every message with its times", async () => {
  const home = await house();
  const { streamer } = home.assistant;
  const original = streamer.onResponse;
  const times = [];
  streamer.onResponse = (message) => {
    if (message.processing_time_ms) times.push(message.processing_time_ms);
    original(message);
  };
  const turn = await speak(home);
  answer(home, turn.id);
  assert.deepEqual(times, [10, 12]);
  assert.equal(turn.outcome, "answered");
});

test("metrics count what was sent", async () => {
  const home = await house();
  await speak(home, 1024);
  const { audio } = home.assistant.getMetrics();
  assert.deepEqual([audio.chunksSent, audio.totalBytes, audio.recentChunks.length], [1, 1024, 1]);
});
