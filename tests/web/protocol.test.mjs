import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as protocol from "../../web/core/protocol.js";
import { CLIENT_MESSAGES, MAX_MESSAGE_BYTES, ProtocolError, SERVER_MESSAGES, build, parse, pieces } from "../../web/core/protocol.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/protocol.json", import.meta.url)));

for (const { name, message } of vectors.client) {
  test(`the page can build: ${name}`, () => {
    const { type, ...fields } = message;
    assert.deepEqual(JSON.parse(build(type, fields)), message);
  });
}

for (const { name, text, repeat, code, mentions } of vectors.client_errors) {
  test(`refused as ${code}: ${name}`, () => {
    const line = text ?? repeat.prefix + repeat.unit.repeat(repeat.times) + repeat.suffix;
    assert.throws(() => parse(line, CLIENT_MESSAGES), (error) => {
      assert.ok(error instanceof ProtocolError);
      assert.equal(error.code, code);
      assert.ok(error.message.includes(mentions ?? ""), `"${error.message}" mentions ${mentions}`);
      return true;
    });
  });
}

for (const message of vectors.server) {
  test(`the page understands: ${message.type}`, () => assert.deepEqual(parse(JSON.stringify(message)), message));
}

test("the limits are those that the device keeps to", () => {
  const { about, ...limits } = JSON.parse(readFileSync(new URL("../vectors/limits.json", import.meta.url)));
  assert.deepEqual(limits, {
    max_text_characters: protocol.MAX_TEXT_LENGTH, max_id_characters: protocol.MAX_ID_LENGTH,
    max_message_bytes: MAX_MESSAGE_BYTES, chunk_bytes: protocol.CHUNK_BYTES, wire_rate_hz: protocol.WIRE_RATE_HZ,
    reply_rates_hz: protocol.REPLY_RATES_HZ, reply_speeds: protocol.SPEEDS, most_timer_change_s: protocol.MOST_TIMER_CHANGE_S,
  });
  // The worklet loads nothing but its resampler, so it says them itself.
  const worklet = readFileSync(new URL("../../web/workers/audio-streaming-worklet.js", import.meta.url), "utf8");
  assert.match(worklet, new RegExp(`^const WIRE_RATE = ${limits.wire_rate_hz};$`, "m"));
  assert.match(worklet, new RegExp(`^const MAX_CHUNK_BYTES = ${limits.max_message_bytes};$`, "m"));
});

test("every message the device may send has an example", () => {
  assert.deepEqual(Object.keys(SERVER_MESSAGES).sort(), [...new Set(vectors.server.map(({ type }) => type))].sort());
});

test("keys a newer device adds are kept and do no harm", () => {
  assert.equal(parse('{"type":"listening","id":"7","mood":"good"}').mood, "good");
});

test("fields that are undefined are not sent", () => {
  assert.equal(build("hello", { language: "de", reply_rate: undefined }), '{"type":"hello","language":"de"}');
});

test("long PCM is cut into messages the device accepts, and nothing is lost", () => {
  const pcm = Uint8Array.from({ length: 2 * MAX_MESSAGE_BYTES + 10 }, (_, n) => n % 251).buffer;
  const cut = [...pieces(pcm)];
  assert.deepEqual(cut.map((piece) => piece.length), [MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES, 10]);
  assert.deepEqual(Buffer.concat(cut), Buffer.from(pcm));
});
