/** Elements with their properties and children; and lists that keep an element for as long as what it shows is there. */

export function make(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function drawn(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** A button whose words are `label` for a screen reader, and `sign` to the eye. */
export function signButton(sign, label, press) {
  const button = make("button", { type: "button", className: "sign", title: label, onclick: press });
  button.setAttribute("aria-label", label);
  button.append(drawn("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, drawn("path", { d: sign })));
  return button;
}

/** Let `parent` show `items`, in order. key: item → what tells it from others. create: item → element with `show(item)`. */
export function keepShown(parent, items, key, create) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const node = known.get(String(key(item))) ?? Object.assign(create(item), {});
    node.dataset.key = key(item);
    node.show(item);
    return node;
  });
  for (const node of [...parent.children]) if (!wanted.includes(node)) node.remove();
  wanted.forEach((node, place) => {
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
}
