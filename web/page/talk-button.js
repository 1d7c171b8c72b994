/**
 * The talk button and the space bar, both held or tapped.
 */

import { PushToTalk } from "../core/push-to-talk.js";

const TYPING = "input, textarea, select, button, a, dialog";

export function bindTalkButton(button, assistant) {
  const talk = new PushToTalk({
    isRecording: () => assistant.isRecording,
    begin: () => assistant.startRecording(),
    end: () => assistant.stopRecording(),
  });

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    talk.press();
  });
  for (const type of ["pointerup", "pointercancel"]) button.addEventListener(type, () => talk.release());
  button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is holding, not asking
  button.addEventListener("click", (event) => {
    if (event.detail === 0 && event.pointerType === "") talk.toggle(); // a screen reader's click, without a press
  });

  const isTalkKey = (event) =>
    event.code === "Space" && !event.ctrlKey && !event.altKey && !event.metaKey &&
    (event.target === button || !event.target.closest?.(TYPING));
  const isButtonKey = (event) => event.target === button && event.code === "Enter";
  addEventListener("keydown", (event) => {
    if (!isTalkKey(event) && !isButtonKey(event)) return;
    event.preventDefault();
    if (!event.repeat) talk.press();
  });
  addEventListener("keyup", (event) => {
    if (!isTalkKey(event) && !isButtonKey(event)) return;
    event.preventDefault();
    talk.release();
  });
  addEventListener("keydown", (event) => {
    if (event.code === "Escape" && !event.target.closest?.("dialog")) assistant.isRecording ? assistant.cancelRecording() : assistant.silence();
  });
}
