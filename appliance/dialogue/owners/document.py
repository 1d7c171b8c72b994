"""YAML with the line of everything in it, so that a mistake can be told with its place. Nothing executable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

MOST_BYTES = 256 * 1024
"""A skill file is larger than that by mistake."""


_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""In C where PyYAML has it: ten times as fast."""


class DocumentError(ValueError):
    """What is wrong, and in which line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Item:
    """A text, a list of items, or items by name, and the line it begins in, from 1."""

    value: str | list[Item] | dict[str, Item]
    line: int
    kind: str = "text"
    """Of a text: what YAML takes it for, "int", "float", "bool", "null" or "text"."""

    def plain(self) -> object:
        """The value as JSON has it: numbers and truth values where they were written as such."""
        value = self.value
        if isinstance(value, dict):
            return {name: item.plain() for name, item in value.items()}
        if isinstance(value, list):
            return [item.plain() for item in value]
        if self.kind == "bool":
            return value.lower() in ("true", "yes", "on")
        if self.kind in ("int", "float"):
            return int(value) if self.kind == "int" and value.lstrip("+-").isdecimal() else float(value)
        return None if self.kind == "null" else value


def read(text: str) -> Item:
    """The document. Raises DocumentError."""
    if len(text.encode()) > MOST_BYTES:
        raise DocumentError(1, f"the file has {len(text.encode())} bytes, expected at most {MOST_BYTES}")
    try:
        for event in yaml.parse(text, _LOADER):
            if isinstance(event, yaml.AliasEvent):  # a few of them nested are gigabytes
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise DocumentError(line, "*names are not known here; write it out, or put it in quotes")
        node = yaml.compose(text, _LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"{error.problem or 'cannot be read as YAML'}; often a text with : or {{ or ' in it needs quotes"
        raise DocumentError(mark.line + 1 if mark else 1, what) from error
    except yaml.YAMLError as error:
        raise DocumentError(1, f"cannot be read as YAML: {error}") from error
    except RecursionError:
        raise DocumentError(1, "nested too deeply") from None
    if node is None:
        raise DocumentError(1, "the file is empty")
    return _item(node)


def _item(node: yaml.Node) -> Item:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Item] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise DocumentError(key.start_mark.line + 1, "a name is a single text")
            if key.value in found:
                raise DocumentError(key.start_mark.line + 1, f"{key.value!r} stands here a second time")
            found[key.value] = _item(value)
        return Item(found, line)
    if isinstance(node, yaml.SequenceNode):
        return Item([_item(each) for each in node.value], line)
    kind = node.tag.rpartition(":")[2]
    return Item(str(node.value), line, kind if kind in ("int", "float", "bool", "null") else "text")


def written(content: Mapping[str, object]) -> str:
    """A document with this content, in its order."""
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)
