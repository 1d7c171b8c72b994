import assert from "node:assert/strict";
import { test } from "node:test";
import { randomId } from "../../web/core/conversation.js";

test("turn ids are random and long, also where the browser keeps randomUUID to itself", () => {
  assert.match(randomId(), /^[0-9a-f-]{36}$/);
  const { randomUUID } = crypto;
  try {
    Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true, writable: true });
    const ids = new Set(Array.from({ length: 100 }, randomId));
    assert.equal(ids.size, 100);
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
  } finally {
    Object.defineProperty(crypto, "randomUUID", { value: randomUUID, configurable: true, writable: true });
  }
});
