/**
 * For a tablet on the wall: the screen stays on, and shows a clock while nobody is there; full screen.
 */

import { Idle } from "./idle.js";
import { clockFace, whenText } from "./moments.js";
import { make } from "./nodes.js";
import { timerName } from "./board.js";

const KEY = "stimme.wall";
const CLOCK_AFTER_MS = 60000;
const DIM_AFTER_MS = 120000;
const TICK_MS = 1000;
/** So far the clock wanders from minute to minute, so that nothing burns into the screen. */
const WANDER_PX = 12;

function saved() {
  try {
    return { awake: false, clock: false, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { awake: false, clock: false };
  }
}

/**
 * face: the <dialog> with the clock. isBusy: () → whether something is going on. inUse: {language, texts} of the page.
 * upcoming: () → [{timer, leftS}]. away: () → words for a device that is not there, or "". Returns {happened, settings, change}.
 */
export function bindWall(face, { isBusy, inUse, upcoming, away, now = () => new Date() }) {
  const settings = saved();
  const [time, date, next] = ["time", "date", "next"].map((name) => face.querySelector(`.${name}`));
  let lock = null;
  let ticking = null;
  let shownAtMs = 0;

  const idle = new Idle({ afterMs: () => (settings.clock ? CLOCK_AFTER_MS : null), isBusy, onchange: show });

  function show(isIdle) {
    clearInterval(ticking);
    if (!isIdle) return face.close();
    shownAtMs = performance.now();
    face.showModal();
    tick();
    ticking = setInterval(tick, TICK_MS);
  }

  function tick() {
    const language = inUse.language();
    const moment = now();
    time.textContent = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false }).format(moment);
    date.textContent = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" }).format(moment);
    face.dataset.dim = performance.now() - shownAtMs > DIM_AFTER_MS ? "dim" : "";
    const angle = moment.getMinutes() * 2.4;
    face.style.setProperty("--x", `${Math.round(WANDER_PX * Math.cos(angle))}px`);
    face.style.setProperty("--y", `${Math.round(WANDER_PX * Math.sin(angle))}px`);
    face.querySelector(".away").textContent = away();
    next.replaceChildren(...upcoming().slice(0, 3).map(({ timer, leftS, local }) => make("li", {},
      make("b", { textContent: timer.kind === "timer" ? clockFace(leftS) : whenText(timer.due_local, local, language, inUse.texts()) }),
      ` ${timerName(timer, inUse.texts())}`)));
  }

  /** Browsers let go of it whenever the page is out of sight. */
  async function holdAwake() {
    if (!settings.awake || document.hidden || !navigator.wakeLock) return lock?.release();
    lock = await navigator.wakeLock.request("screen").catch(() => null); // a low battery refuses it
  }

  face.addEventListener("pointerdown", () => happened());
  face.addEventListener("keydown", () => happened());
  face.addEventListener("cancel", (event) => event.preventDefault()); // Escape is a key like others
  document.addEventListener("visibilitychange", holdAwake);
  for (const type of ["pointerdown", "keydown", "wheel"]) addEventListener(type, happened, { passive: true });
  holdAwake();
  idle.happened();

  function happened() {
    idle.happened();
  }

  return {
    happened,
    settings,
    /** Change {awake, clock}, for good. */
    change(changes) {
      Object.assign(settings, changes);
      try {
        localStorage.setItem(KEY, JSON.stringify(settings));
      } catch {
        // private windows may refuse: the choice then lasts as long as the page
      }
      holdAwake();
      idle.happened();
    },
  };
}
