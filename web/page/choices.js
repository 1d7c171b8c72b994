/**
 * The part of the settings sheet that the device keeps: for this place, and, as far as the role allows, for everybody.
 */

import { SPEEDS } from "../core/protocol.js";
import { make } from "./nodes.js";
import { bindTeaching, showHelpers } from "./teaching.js";
import { showWaking } from "./waking.js";

const LISTEN_MS = 4000;
/** Louder than this somebody speaks into a microphone that is set right. */
const HEARD_LEVEL = 0.02;

/** sheet: the dialog. texts: () → those of the language in use. */
export function bindChoices(sheet, { assistant, texts }) {
  const field = (id) => sheet.querySelector(`#${id}`);
  const teaching = bindTeaching(field, { assistant, texts });
  let shown = null;
  [field("speed").min, field("speed").max] = SPEEDS;

  /** What the device says is chosen. A field somebody is just changing is left alone. */
  function show(settings) {
    shown = settings;
    const words = texts();
    const may = settings.role !== "talk";
    field("placeNameRow").hidden = settings.name === "";
    for (const id of ["quietRow", "pairedRow", "modelList", "teachRow", "helperRow"]) field(id).hidden = !may;
    showWaking(field, { wake: settings.wake ?? null, may, words, set: (wanted) => assistant.set(wanted) });
    put("placeName", settings.name);
    put("volume", settings.volume);
    put("speed", settings.speed);
    showSpeed(settings.speed);
    field("voice").replaceChildren(
      make("option", { value: "", textContent: words.usualVoice }),
      ...settings.voices.map((name) => make("option", { value: name, textContent: name, selected: name === settings.voice })));
    field("quiet").checked = settings.quiet !== null;
    field("quietTimes").hidden = settings.quiet === null;
    [field("quietFrom").value, field("quietTo").value] = settings.quiet ?? ["22:00", "07:00"];
    field("modelList").replaceChildren(...settings.models.filter((model) => !model.in_use).map(modelRow));
    teaching.show(settings.skills ?? []);
    showHelpers(field, { helpers: settings.helpers ?? [], words });
    field("version").textContent = words.version(settings.version);
  }

  function put(id, value) {
    if (document.activeElement !== field(id)) field(id).value = value;
  }

  function showSpeed(speed) {
    field("speedText").textContent = texts().speedText(Number(speed).toLocaleString(document.documentElement.lang));
  }

  function modelRow({ kind, language, name, size_bytes: sizeBytes, share }) {
    const words = texts();
    const about = share === null ? words.modelSize(Math.round(sizeBytes / 1e6)) : share < 0 ? words.modelFailed
      : share < 1 ? words.modelShare(Math.round(share * 100)) : words.modelHere;
    const row = make("div", { className: "choice" }, make("span", {}, make("b", { textContent: words.modelKind[kind][language] }), make("small", { textContent: `${name}. ${about}` })));
    if (share === null || share < 0) {
      const button = make("button", { type: "button", textContent: words.fetchModel, onclick: () => assistant.set({ fetch: name }) });
      button.setAttribute("aria-label", `${words.fetchModel}: ${name}`);
      row.append(button);
    } else if (share < 1) row.append(make("progress", { value: share, ariaLabel: name }));
    return row;
  }

  const quietHours = () => field("quiet").checked && [field("quietFrom").value, field("quietTo").value];
  const changes = {
    placeName: (value) => value.trim() && { name: value.trim() },
    volume: (value) => ({ volume: Number(value) }),
    speed: (value) => ({ speed: Number(value) }),
    voice: (value) => ({ voice: value }),
    quiet: () => ({ quiet: quietHours() }),
    quietFrom: () => ({ quiet: quietHours() }),
    quietTo: () => ({ quiet: quietHours() }),
  };
  for (const [id, change] of Object.entries(changes)) {
    field(id).addEventListener("change", (event) => {
      const wanted = change(event.target.value);
      if (wanted) assistant.set(wanted);
    });
  }
  field("speed").addEventListener("input", (event) => showSpeed(event.target.value));
  field("soundTest").addEventListener("click", testSound);

  /** The loudspeaker sounds; then the microphone is listened to, here and nowhere else. */
  async function testSound() {
    const words = texts();
    field("soundTest").disabled = true;
    await assistant.openSound({ chime: true });
    const heard = assistant.soundIsOpen ? words.soundPlayed : words.soundBlocked;
    field("soundTestResult").textContent = `${heard} ${words.saySomething}`;
    let loudest = 0;
    if (await assistant.openMicrophone()) {
      const until = performance.now() + LISTEN_MS;
      while (performance.now() < until && sheet.open) {
        loudest = Math.max(loudest, assistant.level);
        field("soundLevel").value = Math.min(1, assistant.level * 6);
        await new Promise(requestAnimationFrame);
      }
      field("soundTestResult").textContent = `${heard} ${loudest > HEARD_LEVEL ? words.heardYou : words.heardLittle}`;
      assistant.closeMicrophone();
    } else field("soundTestResult").textContent = assistant.notice;
    field("soundLevel").value = 0;
    field("soundTest").disabled = false;
  }

  return { show, taught: teaching.taught, relabel: () => shown && show(shown) };
}
