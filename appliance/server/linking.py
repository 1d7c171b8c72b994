"""A page's modules in one file, put together when the device starts.

A browser spends 5 to 10 ms of an old tablet's processor on every module it loads, however small; the page has forty.
So a module that a page names is served with everything that it imports inside it, and what it imports later
(`import("./page/rest.js")`) likewise, without what is there already. The files themselves stay as they are, are served
as they are to whoever asks for them, and run as they are where nothing links them: there is no build step.

Every module becomes a function of its own, so that names cannot meet:

    const $core_b = (() => { const { c } = $core_c; …; return { b }; })();

Of ES modules it knows what the page uses: imports on one line, exports before a declaration, no circles.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from posixpath import dirname, join, normpath, relpath

_IMPORT = re.compile(r'^import (?:\{([^}\n]*)\} from )?"(\.{1,2}/[^"\n]+)";$', re.MULTILINE)
_LATER = re.compile(r'\bimport\("(\.{1,2}/[^"\n]+)"\)')
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const|let) ([\w$]+))", re.MULTILINE)
_UNKNOWN = re.compile(r"^(?:import\b(?!\()|export\b).*", re.MULTILINE)


def linked(entry: str, files: Mapping[str, str]) -> dict[str, str]:
    """The module at `entry` and those that are imported later, each with all it needs inside.

    files: every module's text by its path, "/core/b.js". Raises ValueError for what cannot be linked.
    """
    first = _modules(entry, files)
    found = {entry: _text(entry, first, files)}
    for module in first:
        for specifier in _LATER.findall(files[module]):
            later = _path(module, specifier)
            further = [each for each in _modules(later, files) if each not in first]
            found[later] = _text(later, further, files, before=entry)
    return found


def _modules(entry: str, files: Mapping[str, str]) -> list[str]:
    """A module and all that it imports, each once, in the order they run."""
    done: list[str] = []

    def visit(module: str, waiting: tuple[str, ...]) -> None:
        if module in done:
            return
        if module in waiting or module not in files:
            what = "imports itself" if module in waiting else "is missing"
            raise ValueError(f"{module} {what}: {' → '.join((*waiting, module))}")
        for _, specifier in _IMPORT.findall(files[module]):
            visit(_path(module, specifier), (*waiting, module))
        done.append(module)

    visit(entry, ())
    return done


def _text(entry: str, modules: list[str], files: Mapping[str, str], before: str = "") -> str:
    """before: the linked file that is there already, and holds what else these modules import."""
    parts = [_scope(module, files[module], modules, entry) for module in modules]
    if before:
        parts.insert(0, f"import * as $before from {json.dumps(_specifier(entry, before))};\n")
    return "".join(parts) + f"export {{ {', '.join(map(_name, modules))} }};\n"


def _scope(module: str, text: str, modules: list[str], entry: str) -> str:
    def imported(found: re.Match[str]) -> str:
        names, other = found[1], _path(module, found[2])
        if names is None:
            return ""
        holder = _name(other) if other in modules else f"$before.{_name(other)}"
        return f"const {{ {names.replace(' as ', ': ').strip()} }} = {holder};"

    def later(found: re.Match[str]) -> str:
        other = _path(module, found[1])
        return f"import({json.dumps(_specifier(entry, other))}).then((linked) => linked.{_name(other)})"

    exported = ", ".join(_EXPORT.findall(text))
    text = _LATER.sub(later, _EXPORT.sub("", _IMPORT.sub(imported, text)))
    if unknown := _UNKNOWN.search(text):
        raise ValueError(f"{module}: {unknown[0]!r} cannot be linked; write one name list on one line")
    own = f"new URL({json.dumps(_specifier(entry, module))}, import.meta.url).href"
    if module != entry:
        text = text.replace("import.meta.url", own)
    return f"// {module}\nconst {_name(module)} = (() => {{\n{text}return {{ {exported} }};\n}})();\n"


def _path(module: str, specifier: str) -> str:
    return normpath(join(dirname(module), specifier))


def _specifier(module: str, other: str) -> str:
    return "./" + relpath(other, dirname(module))


def _name(module: str) -> str:
    return re.sub(r"\W", "_", module.removesuffix(".js")).replace("_", "$", 1)
