/** What `npm pack` would hand on works by itself, under its own name, without a build step. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const web = fileURLToPath(new URL("../../web", import.meta.url));
const manifest = JSON.parse(readFileSync(join(web, "package.json"), "utf8"));

test("the packed files import under the package's name, and nothing outside them is needed", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "stimme-pack-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const installed = join(folder, "node_modules", manifest.name);
  for (const name of ["package.json", ...manifest.files]) cpSync(join(web, name), join(installed, name), { recursive: true });
  const program = `
    const { EnhancedVoiceAssistant } = await import("${manifest.name}");
    const assistant = new EnhancedVoiceAssistant({ wsUrl: "ws://localhost:1" });
    await import("${manifest.name}/workers/resampler.js");
    console.log(typeof assistant.startRecording, assistant.connectionState);`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { cwd: folder, encoding: "utf8" });
  assert.equal(said.trim(), "function disconnected");
});

test("the library's version is the appliance's", () => {
  const python = readFileSync(new URL("../../appliance/__init__.py", import.meta.url), "utf8");
  assert.equal(manifest.version, /__version__ = "(.*)"/.exec(python)[1]);
});

test("no library file asks for one of the page's", () => {
  const sources = execFileSync("grep", ["-rhoE", "--include=*.js", '(from|import\\(?) ?"[^"]+"', "core", "workers"], { cwd: web, encoding: "utf8" });
  assert.doesNotMatch(sources, /\.\.\/(page|entrance|app)/);
});
