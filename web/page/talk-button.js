/**
 * The talk button and the space bar, both held or tapped.
 */

import { PushToTalk } from "../core/push-to-talk.js";

const OTHER_CONTROLS = "input, textarea, select, button, a, dialog";

export function bindTalkButton(button, assistant) {
  const talk = new PushToTalk({
    isRecording: () => assistant.isRecording,
    begin: () => assistant.startRecording(),
    end: () => assistant.stopRecording(),
    tapped: () => assistant.endBySilence(),
  });

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    talk.press();
  });
  for (const type of ["pointerup", "pointercancel"]) button.addEventListener(type, () => talk.release());
  button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is holding, not asking
  button.addEventListener("click", (event) => {
    if (event.detail === 0) talk.toggle(); // a screen reader's or a script's click, without a press
  });

  /** Space anywhere but where it means something else; Enter on the button itself. */
  function means(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return false;
    if (event.target === button) return event.code === "Space" || event.code === "Enter";
    return event.code === "Space" && !event.target.closest(OTHER_CONTROLS);
  }

  addEventListener("keydown", (event) => {
    if (event.code === "Escape" && !event.target.closest("dialog")) stopEverything();
    if (!means(event)) return;
    event.preventDefault();
    if (!event.repeat) talk.press();
  });
  addEventListener("keyup", (event) => {
    if (!means(event)) return;
    event.preventDefault();
    talk.release();
  });

  function stopEverything() {
    if (assistant.isRecording) assistant.cancelRecording();
    else assistant.silence();
  }
}
