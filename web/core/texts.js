/** Everything the page says by itself, by language, and what it says of errors and states. */

import { DE } from "./texts/de.js";
import { EN } from "./texts/en.js";

export const TEXTS = { en: EN, de: DE };

/** What an error means for the person; the device's own words where this page has none. */
export function errorText(language, code, message = "") {
  return TEXTS[language].errors[code] ?? (message || TEXTS[language].errors.internal);
}

/** What is shorter nobody waits for: words about it would only flicker. */
export const LONG_WAIT_MS = 500;

/** One line about what the assistant is doing or why it cannot. */
export function statusText(language, { connectionState, state, notice, waitingPlace, arrivedShare = null, endsIn = null, retryInMs = null }) {
  const { status } = TEXTS[language];
  if (waitingPlace === 0 && (state === "listening" || state === "thinking")) return status.outOfReach;
  if (endsIn?.ofMs >= LONG_WAIT_MS) return status.pausing;
  if (state === "opening" || state === "listening") return status[state];
  if (connectionState === "reconnecting" && retryInMs !== null) return notice || status.away(Math.ceil(retryInMs / 1000));
  if (connectionState !== "connected") return notice || status[connectionState];
  if (state === "thinking" && arrivedShare !== null) return status.sending(Math.round(100 * arrivedShare));
  if (state === "thinking" && waitingPlace) return status.queued(waitingPlace);
  return state === "idle" && notice ? notice : status[state];
}
