import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, reconnectDelayMs } from "../../web/core/connection.js";
import { FakeClock, FakeNetwork, settle } from "./fakes.mjs";

async function connected({ maxAttempts = 10 } = {}) {
  const [network, clock, states] = [new FakeNetwork(), new FakeClock(), []];
  const connection = new Connection({
    url: "ws://device/ws", maxAttempts: () => maxAttempts, WebSocket: network.WebSocket, clock, random: () => 0.5,
  });
  connection.onstate = (state) => states.push(state);
  connection.open();
  await settle();
  return { network, clock, states, connection };
}

test("the wait between attempts doubles up to eight seconds and is spread by half", () => {
  assert.deepEqual([0, 1, 2, 5, 20].map((attempt) => reconnectDelayMs(attempt, 1)), [250, 500, 1000, 8000, 8000]);
  assert.deepEqual([0, 1, 2].map((attempt) => reconnectDelayMs(attempt, 0)), [125, 250, 500]);
});

test("opening leads to connected", async () => {
  const { states } = await connected();
  assert.deepEqual(states, ["connecting", "connected"]);
});

test("a drop is followed by a new connection", async () => {
  const { network, clock, states, connection } = await connected();
  network.drop();
  assert.equal(connection.state, "reconnecting");
  await clock.pass(1000);
  assert.deepEqual(states, ["connecting", "connected", "reconnecting", "connected"]);
  assert.equal(connection.reconnects, 1);
});

test("after maxAttempts in a row it gives up, and open begins anew", async () => {
  const { network, clock, connection } = await connected({ maxAttempts: 3 });
  network.drop({ reachable: false });
  await clock.pass(60000);
  assert.equal(connection.state, "disconnected");
  assert.equal(network.sockets.length, 1 + 3);
  network.reachable = true;
  connection.open();
  await settle();
  assert.ok(connection.connected);
});

test("open during a wait tries at once", async () => {
  const { network, clock, connection } = await connected();
  network.drop({ reachable: false });
  await clock.pass(3000);
  network.reachable = true;
  connection.open();
  await settle();
  assert.ok(connection.connected);
});

test("a device that says goodbye is left alone as long as it asked", async () => {
  const { network, clock, connection } = await connected();
  network.socket.say({ type: "goodbye", reason: "restart", reconnect_after_ms: 2000 });
  network.drop();
  await clock.pass(1999);
  assert.equal(connection.state, "reconnecting");
  await clock.pass(600);
  assert.ok(connection.connected);
});

test("a ping resolves with the measured round trip", async () => {
  const { network, clock, connection } = await connected();
  network.answersPings = false;
  const sent = [];
  network.socket.send = (data) => sent.push(JSON.parse(data));
  const roundTrip = connection.ping();
  await clock.pass(12);
  network.socket.say({ type: "pong", timestamp: sent[0].timestamp });
  assert.equal(await roundTrip, 12);
  assert.equal(connection.roundTrips.summary().last, 12);
});

test("a ping rejects when the connection is lost", async () => {
  const { network, connection } = await connected();
  network.answersPings = false;
  const roundTrip = connection.ping();
  network.drop();
  await assert.rejects(roundTrip, /connection was lost/);
});

test("a network that swallows everything is noticed within ten seconds", async () => {
  const { network, clock, states } = await connected();
  network.answersPings = false;
  await clock.pass(10000);
  assert.equal(states[2], "reconnecting");
});

test("a slow network that still brings sound is not given up, however late the pong behind it is", async () => {
  const { network, clock, connection } = await connected();
  connection.watchClosely(true);
  network.answersPings = false;
  for (let second = 0; second < 12; second++) {
    network.socket.onmessage({ data: new ArrayBuffer(8192) });
    await clock.pass(1000);
  }
  assert.equal(connection.reconnects, 0);
  await clock.pass(4000);
  assert.equal(connection.reconnects, 1, "once nothing comes any more");
});

test("during a turn it is noticed within five seconds and a half", async () => {
  const { network, clock, states, connection } = await connected();
  connection.watchClosely(true);
  await clock.pass(1000);
  network.answersPings = false;
  await clock.pass(5500);
  assert.equal(states[2], "reconnecting");
});

test("sending without a connection says so and sends nothing", async () => {
  const { network, connection } = await connected();
  network.drop({ reachable: false });
  assert.equal(connection.send("interrupt"), false);
  assert.equal(connection.sendAudio(new ArrayBuffer(2)), false);
});

test("a message the page does not understand is passed over, the next one is heard", async (context) => {
  const { network, connection } = await connected();
  context.mock.method(console, "warn", () => {});
  const heard = [];
  connection.onmessage = ({ type }) => heard.push(type);
  network.socket.onmessage({ data: "{not json" });
  network.socket.say({ type: "from the future" });
  network.socket.say({ type: "listening", id: "1" });
  assert.deepEqual(heard, ["listening"]);
});
