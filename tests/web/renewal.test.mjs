import assert from "node:assert/strict";
import { test } from "node:test";
import { Renewal } from "../../web/page/renewal.js";
import { versionIn } from "../../web/page/version.js";
import { FakeClock } from "./fakes.mjs";

function page({ mine = "aaa", remembered = {} } = {}) {
  const here = { reloads: 0, busy: false, clock: new FakeClock() };
  const storage = { getItem: (key) => remembered[key] ?? null, setItem: (key, value) => void (remembered[key] = value) };
  const renewal = new Renewal({ mine, isBusy: () => here.busy, reload: () => (here.reloads += 1), storage, clock: here.clock });
  return Object.assign(here, { renewal });
}

test("the version stands in the address of the page's files", () => {
  assert.equal(versionIn("http://stimme.local:8080/~0123abc/app.js"), "0123abc");
  assert.equal(versionIn("http://stimme.local:8080/app.js"), null);
});

test("a page like the device's stays, and so does one that does not know its version", async () => {
  for (const [mine, offered] of [["aaa", "aaa"], [null, "bbb"], ["aaa", undefined]]) {
    const here = page({ mine });
    here.renewal.offered(offered);
    await here.clock.pass(60000);
    assert.equal(here.reloads, 0);
  }
});

test("an older page loads itself anew once nobody is using it", async () => {
  const here = page();
  here.busy = true;
  here.renewal.offered("bbb");
  await here.clock.pass(60000);
  assert.equal(here.reloads, 0);
  here.busy = false;
  here.renewal.happened();
  await here.clock.pass(4900);
  here.renewal.happened();
  await here.clock.pass(4900);
  assert.equal(here.reloads, 0);
  await here.clock.pass(200);
  assert.equal(here.reloads, 1);
});

test("a page that stays old in spite of that does not go on for ever", async () => {
  const remembered = {};
  for (const reloads of [1, 0]) {
    const here = page({ remembered });
    here.renewal.offered("bbb");
    await here.clock.pass(60000);
    assert.equal(here.reloads, reloads);
  }
});
