/**
 * What the first look and the first press do not need: timers and lists, what rings, settings, measurements, the clock on
 * the wall, and a newer page's coming. app.js loads it when the page can be used, or when somebody asks for it.
 */

import { BoardView } from "./board.js";
import { bindChoices } from "./choices.js";
import { LastTurns } from "./last-turns.js";
import { bindOverlay } from "./overlay.js";
import { localise } from "./preferences.js";
import { Renewal } from "./renewal.js";
import { RingingView } from "./ringing.js";
import { bindSettings } from "./settings.js";
import { bindWall } from "./wall.js";

const element = (id) => document.getElementById(id);

/** inUse: {language, texts} of the page. version: the page's own, or null. {happened(what, detail), openSettings}. */
export function bindRest({ assistant, conversation, inUse, version }) {
  const lastTurns = new LastTurns();
  const board = new BoardView({
    section: element("board"), timers: element("timers"), lists: element("lists"), assistant, ...inUse });
  const ringing = new RingingView({ list: element("ringing"), assistant, ...inUse });
  const choices = bindChoices(element("settings"), { assistant, texts: inUse.texts });
  const overlay = bindOverlay(element("performanceMetrics"), assistant, {
    lastTurns, openSettings: (part) => settings.show(part), report: copyReport });
  const wall = bindWall(element("clockFace"), { isBusy, inUse, upcoming: () => board.upcoming, away });
  const settings = bindSettings(element("settings"), { assistant, overlay, wall });
  const renewal = new Renewal({ mine: version, isBusy: () => isBusy() || assistant.connectionState !== "connected", reload });

  function isBusy() {
    return assistant.state !== "idle" || element("settings").open || element("textInput").value !== "" || ringing.isRinging;
  }

  function away() {
    return assistant.connectionState === "connected" ? "" : element("statusText").textContent;
  }

  function reload() {
    conversation.save();
    location.reload();
  }

  async function copyReport() {
    const report = lastTurns.report(assistant, version);
    try {
      await navigator.clipboard.writeText(report);
      return true;
    } catch {
      console.info(report);
      return false; // no clipboard on pages without HTTPS
    }
  }

  function showDevice() {
    const { welcome } = assistant;
    if (welcome) element("device").textContent = `${inUse.texts().device}: ${inUse.texts().deviceText(welcome)}`;
  }

  function showBoard(message) {
    board.show(message);
    ringing.show(message);
    if (ringing.isRinging) wall.happened();
  }

  function relabel() {
    board.relabel();
    ringing.relabel();
    choices.relabel();
    showDevice();
  }

  const show = {
    turn: (turn) => lastTurns.happened(turn),
    board: showBoard,
    settings: (message) => choices.show(message),
    taught: (message) => choices.taught(message),
    language: relabel,
    welcome: (welcome) => {
      showDevice();
      renewal.offered(welcome.page_version);
    },
  };

  function happened(what, detail) {
    show[what]?.(detail);
    if (what === "turn" || what === "announce" || (what === "state" && detail !== "idle")) {
      renewal.happened();
      wall.happened();
    }
  }

  localise(inUse.language()); // also what the page's HTML leaves to this
  return { happened, openSettings: settings.show };
}
