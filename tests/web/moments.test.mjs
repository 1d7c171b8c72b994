import assert from "node:assert/strict";
import { test } from "node:test";
import { TEXTS } from "../../web/core/texts.js";
import { clockFace, repeatText, whenText } from "../../web/page/moments.js";

const NOW = "2026-03-03T15:07"; // a Tuesday
const { en, de } = TEXTS;

test("remaining time is written as on a clock", () => {
  assert.deepEqual([0, -3, 9.2, 65, 600, 3725].map(clockFace), ["0:00", "0:00", "0:10", "1:05", "10:00", "1:02:05"]);
});

test("today needs no day, tomorrow its word, then weekdays, then dates", () => {
  const german = (local) => whenText(local, NOW, "de", de);
  assert.equal(german("2026-03-03T23:30"), "23:30");
  assert.equal(german("2026-03-04T00:05"), "morgen 00:05");
  assert.equal(german("2026-03-07T07:00"), "Sa 07:00");
  assert.equal(german("2026-03-10T07:00"), "10. März 07:00");
  assert.match(whenText("2026-03-04T07:00", NOW, "en", en), /^tomorrow 0?7:00/);
});

test("how it comes again is said in few words", () => {
  assert.equal(repeatText("", "en", en), "");
  assert.equal(repeatText("FREQ=DAILY", "en", en), "every day");
  assert.equal(repeatText("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "en", en), "on weekdays");
  assert.equal(repeatText("FREQ=WEEKLY;BYDAY=SA,SU", "de", de), "Sa, So");
  assert.equal(repeatText("FREQ=HOURLY;INTERVAL=2", "de", de), "immer wieder");
});
