/** docs/web-client.md and the .d.ts name every public member of the two classes, and no other. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { DEFAULT_CONFIG } from "../../web/core/config.js";
import { EnhancedVoiceAssistant } from "../../web/core/EnhancedVoiceAssistant.js";

const read = (path) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");
const types = await read("web/core/EnhancedVoiceAssistant.d.ts");
const guide = await read("docs/web-client.md");

const declared = (kind, name) => {
  const body = types.match(new RegExp(`${kind} ${name}\\b[^{]*\\{\\n(.*?)^\\}`, "ms"))[1];
  return new Set([...body.matchAll(/^ {2}(?:readonly )?(\w+)[?(:]/gm)].map(([, member]) => member));
};

async function fields(file) {
  const source = await read(`web/core/${file}.js`);
  return [...source.matchAll(/^ {2}(\w+) = /gm)].map(([, name]) => name);
}

for (const [name, own] of Object.entries({ EnhancedVoiceAssistant, OptimizedAudioStreamer: globalThis.OptimizedAudioStreamer })) {
  test(`${name}: the types and the guide name what it has`, async () => {
    const members = new Set([...Object.getOwnPropertyNames(own.prototype), ...(await fields(name))]);
    const typed = declared("class", name);
    for (const names of [typed, members]) names.delete("constructor");
    assert.deepEqual([...typed].sort(), [...members].sort());
    for (const member of members) assert.match(guide, new RegExp(`\`${member}\\b`), member);
  });
}

test("every setting is typed and explained", () => {
  const typed = new Set([...declared("interface", "Quality"), ...declared("interface", "Config")]);
  assert.deepEqual([...typed].sort(), Object.keys(DEFAULT_CONFIG).sort());
  for (const name of typed) assert.match(guide, new RegExp(`\`${name}\``), name);
});
