"""The page's files: compressed, cached by content, its modules in one."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from appliance.server.access import Role, Visitor
from appliance.server.http import Request, Response
from appliance.server.site import Site

OWNER = Visitor("local", Role.OWNER)
WEB = Path(__file__).parents[2] / "web"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "core").mkdir()
    (tmp_path / "index.html").write_text(
        '<head><link href="style.css"><script type="module" src="app.js"></script></head><a href="#here">here</a>'
    )
    (tmp_path / "style.css").write_text("p { color: red }\n" * 50)
    (tmp_path / "app.js").write_text('import { b } from "./core/b.js";\n')
    (tmp_path / "core" / "b.js").write_text('import { c } from "./c.js";\nexport const b = c;\n')
    (tmp_path / "core" / "c.js").write_text("export const c = 1;\n")
    return tmp_path


def get(site: Site, path: str, **headers: str) -> Response:
    return site.answer(Request("GET", path, {name.replace("_", "-"): value for name, value in headers.items()}), OWNER)


def test_a_browser_that_knows_gzip_gets_it(root: Path) -> None:
    response = get(Site(root), "/style.css", accept_encoding="br, gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    assert isinstance(response.body, bytes)
    assert gzip.decompress(response.body) == (root / "style.css").read_bytes()
    assert len(response.body) < 200


def test_any_other_gets_the_file_as_it_is(root: Path) -> None:
    response = get(Site(root), "/style.css")
    assert "Content-Encoding" not in response.headers
    assert response.body == (root / "style.css").read_bytes()


def test_a_page_that_is_the_same_is_not_sent_again(root: Path) -> None:
    site = Site(root)
    again = get(site, "/", if_none_match=get(site, "/").headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_the_page_loads_its_parts_from_where_they_are_kept_for_good(root: Path) -> None:
    site = Site(root)
    page = get(site, "/").body
    assert isinstance(page, bytes)
    loaded = re.findall(r'(?:href|src)="(/~[^"]+)"', page.decode())
    assert loaded == [f"/~{site.version}/{name}" for name in ("style.css", "app.js")]
    assert 'href="#here"' in page.decode()
    linked = get(site, loaded[1]).body
    assert isinstance(linked, bytes)
    assert b"const c = 1;" in linked, "what it imports is inside it"
    for path in loaded:
        response = get(site, path)
        assert response.status == 200
        assert "immutable" in response.headers["Cache-Control"]


def test_a_changed_file_changes_the_version_and_an_old_page_still_finds_its_parts_but_keeps_none(root: Path) -> None:
    before = Site(root).version
    (root / "core" / "c.js").write_text("changed();\n")
    site = Site(root)
    assert site.version != before
    assert get(site, f"/~{before}/core/c.js").body == b"changed();\n"
    assert "Cache-Control" not in get(site, f"/~{before}/core/c.js").headers


def test_the_guides_name_finds_the_same_file(root: Path) -> None:
    assert get(Site(root), "/shared/core/b.js").body == (root / "core" / "b.js").read_bytes()


@pytest.mark.parametrize("path", ["/../site.py", "/~../style.css", "/~12/~12/style.css", "/nothing.js", "/core"])
def test_nothing_else_is_found(root: Path, path: str) -> None:
    assert get(Site(root), path).status == 404


def test_all_that_the_page_transfers_is_small() -> None:
    site = Site(WEB)
    page = get(site, "/").body
    assert isinstance(page, bytes)
    paths = {"/", *re.findall(r'(?:href|src)="(/~[^"]+)"', page.decode())}
    paths |= {f"/~{site.version}/workers/{file.name}" for file in (WEB / "workers").glob("*.js")}
    paths.add(f"/~{site.version}/page/rest.js")
    bodies = [get(site, path, accept_encoding="gzip").body for path in paths]
    assert sum(len(body) for body in bodies if isinstance(body, bytes)) < 120_000  # bytes
