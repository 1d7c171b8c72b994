"""A page's modules put together: they run as they would alone, once each, and what cannot be put together is told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from appliance.server.linking import linked

FILES = {
    "/app.js": 'import { double as twice } from "./core/sum.js";\nimport "./core/said.js";\nconst one = 1;\n'
    'const { more } = await_none();\nfunction await_none() { return { more: () => import("./page/rest.js") }; }\n'
    "console.log(twice(one), globalThis.said);\nmore().then(({ tell }) => console.log(tell()));\n",
    "/core/sum.js": 'import { one } from "./numbers.js";\nexport const double = (value) => value * (one + 1);\n',
    "/core/numbers.js": "globalThis.times = (globalThis.times ?? 0) + 1;\nexport const one = 1;\nexport class Two {}\n",
    "/core/said.js": "globalThis.said = new URL(import.meta.url).pathname.split('/').slice(-2).join('/');\n",
    "/page/rest.js": 'import { one } from "../core/numbers.js";\nimport { name } from "./own.js";\n'
    "export function tell() {\n  return `${name} ${one} ${globalThis.times}`;\n}\n",
    "/page/own.js": 'export const name = "rest";\n',
}


def test_linked_modules_do_what_they_do_alone_and_each_runs_once(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "package.json").write_text('{"type": "module"}')
    texts = linked("/app.js", FILES)
    assert list(texts) == ["/app.js", "/page/rest.js"]
    for name, text in texts.items():
        (tmp_path / name[1:]).write_text(text)
    said = subprocess.run(["node", "app.js"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["2 core/said.js", "rest 1 1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('import { b } from "./b.js";\nexport const a = b;\n', "/b.js imports itself: /a.js → /b.js → /b.js"),
        ('import { b } from "./none.js";\n', "/none.js is missing"),
        ('import b from "./b.js";\n', "cannot be linked"),
        ("export { a };\n", "cannot be linked"),
        ("export default 1;\n", "cannot be linked"),
    ],
)
def test_what_cannot_be_linked_is_named(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        linked("/a.js", {"/a.js": text, "/b.js": 'import "./b.js";\n'})
