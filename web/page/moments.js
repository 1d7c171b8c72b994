/**
 * Times and durations as people write them. No words of our own: Intl knows them, but for those in texts.js.
 */

const DAY_MS = 86400000;
const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const A_MONDAY = Date.UTC(2024, 0, 1);

/** How this browser's owner writes times, if they do so in the page's language. */
const locale = (language) => (globalThis.navigator?.language?.startsWith(language) ? navigator.language : language);

/** 65 → "1:05", 3725 → "1:02:05"; what is over is "0:00". */
export function clockFace(seconds) {
  const whole = Math.max(0, Math.ceil(seconds - 0.05));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** "2026-03-04T07:00", seen from "2026-03-03T15:07": "tomorrow 07:00". texts: of the page's language. */
export function whenText(local, now, language, texts) {
  const [due, today] = [new Date(local), new Date(now)];
  const time = new Intl.DateTimeFormat(locale(language), { hour: "2-digit", minute: "2-digit" }).format(due);
  const days = Math.round((new Date(due).setHours(12, 0, 0, 0) - new Date(today).setHours(12, 0, 0, 0)) / DAY_MS);
  if (days === 0) return time;
  if (days === 1) return `${texts.tomorrow} ${time}`;
  const wanted = days > 1 && days < 7 ? { weekday: "short" } : { day: "numeric", month: "short" };
  return `${new Intl.DateTimeFormat(language, wanted).format(due)} ${time}`;
}

/** An RFC 5545 rule: "FREQ=WEEKLY;BYDAY=MO,TU" → "Mon, Tue"; "" for once. */
export function repeatText(rule, language, texts) {
  if (!rule) return "";
  const days = /BYDAY=([A-Z,]+)/.exec(rule)?.[1].split(",").filter((day) => WEEKDAYS.includes(day)) ?? [];
  if (rule.includes("FREQ=DAILY") || days.length === 7) return texts.everyDay;
  if (days.length === 0) return texts.again;
  if (days.join() === "MO,TU,WE,TH,FR") return texts.weekdays;
  const name = new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" });
  return days.map((day) => name.format(A_MONDAY + WEEKDAYS.indexOf(day) * DAY_MS)).join(", ");
}
