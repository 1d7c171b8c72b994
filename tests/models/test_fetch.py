"""Fetching from a real server on loopback: resumed, verified, unpacked safely, all or nothing."""

from __future__ import annotations

import fcntl
import stat
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from appliance.errors import ModelError
from appliance.models import download, fetch
from appliance.models.catalogue import File, Model
from appliance.models.fetch import fetch_model
from appliance.models.whole import CHECKSUMS, CONTENTS, check_recognizer

CONTENT = {
    "tiny/am/final.mdl": b"m" * 50_000,
    "tiny/conf/mfcc.conf": b"--x=1\n",
    "tiny/graph/HCLr.fst": b"h" * 1000,
    "tiny/graph/Gr.fst": b"g" * 1000,
    "tiny/README": b"small",
}


class Shelf:
    """A web server's files, how it misbehaves, and what it was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.url = ""
        self.asked: list[tuple[str, str | None]] = []
        self.knows_ranges = True
        self.breaks_off_after: list[int] = []
        """For each coming answer, how many bytes of it are sent before the connection is closed."""
        self.status: list[int] = []
        """For each coming answer, an error instead."""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, wanted = self.path.lstrip("/"), self.headers.get("Range")
            shelf.asked.append((name, wanted))
            if shelf.status or name not in shelf.files:
                self.send_error(shelf.status.pop(0) if shelf.status else 404)
                return
            content = shelf.files[name]
            begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and shelf.knows_ranges else 0
            if begin >= len(content) > 0:
                self.send_error(416)
                return
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            body = content[begin:]
            self.wfile.write(body[: shelf.breaks_off_after.pop(0)] if shelf.breaks_off_after else body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        shelf.url = f"http://127.0.0.1:{server.server_port}"
        yield shelf
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WAIT_S", 0)


def zipped(content: dict[str, bytes]) -> bytes:
    memory = BytesIO()
    with ZipFile(memory, "w", ZIP_DEFLATED) as file:
        for name, data in content.items():
            file.writestr(name, data)
    return memory.getvalue()


def published(shelf: Shelf, *, archive: bytes | None = None) -> Model:
    """A recognizer that the server has."""
    archive = zipped(CONTENT) if archive is None else archive
    shelf.files["tiny.zip"] = archive
    return Model("tiny", "recognizer", "en", "none", (File("tiny.zip", len(archive), digest(archive)),), shelf.url)


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def quietly(here_bytes: int, whole_bytes: int) -> None:
    """No progress is shown."""


def names(directory: Path) -> list[str]:
    """What there is for a person to see."""
    return sorted(path.name for path in directory.iterdir() if not path.name.startswith("."))


def test_a_recognizer_is_fetched_and_unpacked(shelf: Shelf, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    model = published(shelf)
    path = fetch_model(model, tmp_path / "models", lambda here, whole: told.append((here, whole)))
    check_recognizer(path)
    found = {str(file.relative_to(path.parent)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    del found[f"tiny/{CONTENTS}"], found[f"tiny/{CHECKSUMS}"]
    assert found == CONTENT
    assert told[0] == (0, model.size_bytes) and told[-1] == (model.size_bytes, model.size_bytes)
    assert [here for here, _ in told] == sorted(here for here, _ in told)
    assert list((tmp_path / "models" / ".incoming").iterdir()) == []


def test_a_voice_is_fetched_with_its_settings(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files |= {"v.onnx": b"network", "v.onnx.json": b"{}"}
    listed = tuple(File(name, len(data), digest(data)) for name, data in shelf.files.items())
    path = fetch_model(Model("v", "voice", "de", "none", listed, shelf.url), tmp_path, quietly)
    assert path == tmp_path / "v" / "v.onnx"
    assert (path.read_bytes(), path.with_name("v.onnx.json").read_bytes()) == (b"network", b"{}")


def test_what_is_there_already_is_not_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    fetch_model(model, tmp_path, quietly)
    assert fetch_model(model, tmp_path, quietly) == tmp_path / "tiny"
    assert len(shelf.asked) == 1


def test_a_damaged_model_is_replaced(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    fetch_model(model, tmp_path, quietly)
    (tmp_path / "tiny" / "graph" / "Gr.fst").write_bytes(b"")
    check_recognizer(fetch_model(model, tmp_path, quietly))
    assert len(shelf.asked) == 2


def test_an_interrupted_fetch_goes_on_from_where_it_was(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    shelf.breaks_off_after = [100]
    check_recognizer(fetch_model(model, tmp_path, quietly))
    assert shelf.asked == [("tiny.zip", None), ("tiny.zip", "bytes=100-")]


def test_a_fetch_goes_on_after_a_restart(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    shelf.breaks_off_after = [10] * download.ATTEMPTS
    with pytest.raises(ModelError, match=r"ended after 40 of \d+ bytes; the same command goes on from there"):
        fetch_model(model, tmp_path, quietly)
    assert names(tmp_path) == []
    check_recognizer(fetch_model(model, tmp_path, quietly))
    assert shelf.asked[-1] == ("tiny.zip", "bytes=40-")


def test_a_server_that_knows_no_ranges_is_asked_for_everything(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    shelf.breaks_off_after, shelf.knows_ranges = [100], False
    check_recognizer(fetch_model(model, tmp_path, quietly))
    assert len(shelf.asked) == 2


def test_a_busy_server_is_asked_again(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    shelf.status = [503, 500]
    check_recognizer(fetch_model(model, tmp_path, quietly))
    assert len(shelf.asked) == 3


def test_a_part_of_another_file_is_started_over(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    (tmp_path / ".incoming").mkdir()
    (tmp_path / ".incoming" / "tiny.zip.part").write_bytes(b"x" * (model.size_bytes + 1))
    check_recognizer(fetch_model(model, tmp_path, quietly))
    assert shelf.asked[-1] == ("tiny.zip", None)


def test_a_server_with_less_than_we_have_is_asked_from_the_start(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    (tmp_path / ".incoming").mkdir()
    (tmp_path / ".incoming" / "tiny.zip.part").write_bytes(b"x" * (model.size_bytes - 1))
    shelf.files["tiny.zip"] = b"gone"
    with pytest.raises(ModelError, match="ended after 4 of"):
        fetch_model(model, tmp_path, quietly)
    assert names(tmp_path) == []


def test_a_wrong_checksum_is_refused_and_forgotten(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    shelf.files["tiny.zip"] = bytes(model.size_bytes)
    with pytest.raises(ModelError, match=f"SHA-256 .*, expected {model.files[0].sha256}"):
        fetch_model(model, tmp_path, quietly)
    assert names(tmp_path) == [] and list((tmp_path / ".incoming").iterdir()) == []


def test_a_file_longer_than_expected_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    shelf.files["tiny.zip"] += b"more"
    with pytest.raises(ModelError, match=f"sends more than {model.size_bytes} bytes"):
        fetch_model(model, tmp_path, quietly)


def test_a_file_that_is_not_there_is_named(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    shelf.files.clear()
    with pytest.raises(ModelError, match=r"/tiny.zip: the server answers 404 Not Found"):
        fetch_model(model, tmp_path, quietly)


def test_no_network_is_said_plainly(shelf: Shelf, tmp_path: Path) -> None:
    model = published(shelf)
    unreachable = Model(**{**vars(model), "source": "http://127.0.0.1:1"})
    with pytest.raises(ModelError, match=r"127.0.0.1 cannot be reached \(.*refused.*\); is there a network"):
        fetch_model(unreachable, tmp_path, quietly)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["../evil", "/evil", "tiny/../../evil", "C:\\evil", "tiny\\..\\evil", "tiny/e\0vil"])
def test_an_archive_that_reaches_outside_is_refused(shelf: Shelf, tmp_path: Path, name: str) -> None:
    model = published(shelf, archive=zipped_raw({**CONTENT, name: b"evil"}))
    with pytest.raises(ModelError, match="refused, because of its entry .*e.*vil"):
        fetch_model(model, tmp_path / "models", quietly)
    assert names(tmp_path / "models") == [] and names(tmp_path) == ["models"]


def zipped_raw(content: dict[str, bytes]) -> bytes:
    """As zipped, with names that ZipInfo would tidy up."""
    memory = BytesIO()
    with ZipFile(memory, "w") as file:
        for name, data in content.items():
            entry = ZipInfo("placeholder")
            entry.filename = name
            file.writestr(entry, data)
    return memory.getvalue()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_an_archive_with_links_or_devices_is_refused(shelf: Shelf, tmp_path: Path, kind: int) -> None:
    memory = BytesIO()
    with ZipFile(memory, "w") as file:
        entry = ZipInfo("tiny/link")
        entry.external_attr = (kind | 0o777) << 16
        file.writestr(entry, "/etc/passwd")
    with pytest.raises(ModelError, match="refused, because of its entry 'tiny/link'"):
        fetch_model(published(shelf, archive=memory.getvalue()), tmp_path, quietly)
    assert names(tmp_path) == []


def test_an_archive_that_unpacks_to_too_much_is_refused(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "UNPACKED_BYTES", 1_000_000)
    bomb = zipped({**CONTENT, "tiny/bomb": bytes(2_000_000)})
    with pytest.raises(ModelError, match=r"unpacks to 205\d{4} bytes, expected no more than 1000000"):
        fetch_model(published(shelf, archive=bomb), tmp_path, quietly)
    assert names(tmp_path) == [] and list((tmp_path / ".incoming").iterdir()) == []


def test_an_archive_that_lies_about_its_size_is_refused(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = zipped({**CONTENT, "tiny/bomb": bytes(2_000_000)})
    lying = bomb.replace((2_000_000).to_bytes(4, "little"), (2_000).to_bytes(4, "little"))
    assert lying != bomb
    with pytest.raises(ModelError, match="not a whole zip file .*CRC"):
        fetch_model(published(shelf, archive=lying), tmp_path, quietly)
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [b"not a zip", zipped({"other/file": b"x"}), zipped({"tiny/am/final.mdl": b"x"})])
def test_an_archive_without_the_model_is_refused(shelf: Shelf, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelError, match="not a whole zip file|no such model directory|not a whole Vosk model"):
        fetch_model(published(shelf, archive=content), tmp_path, quietly)
    assert names(tmp_path) == []


def test_a_second_fetch_at_the_same_time_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    with (tmp_path / ".fetch.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match=f"another fetch into {tmp_path} is under way"):
            fetch_model(published(shelf), tmp_path, quietly)
    check_recognizer(fetch_model(published(shelf), tmp_path, quietly))


def test_a_full_disk_is_noticed_beforehand(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "UNPACKED_FACTOR", 10**15)
    with pytest.raises(ModelError, match=r"\d+ MB free, tiny needs \d+ MB"):
        fetch_model(published(shelf), tmp_path, quietly)
    assert shelf.asked == []


def test_a_disk_that_becomes_full_is_named(shelf: Shelf, tmp_path: Path) -> None:
    target = tmp_path / "full"
    target.with_name("full.part").symlink_to("/dev/full")
    content = b"x" * 100_000
    shelf.files["file"] = content
    with pytest.raises(ModelError, match="the disk is full; make room"):
        download.download(f"{shelf.url}/file", target, len(content), digest(content), quietly)


def test_a_directory_that_cannot_be_written_is_named(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="file/models: cannot be written"):
        fetch_model(published(shelf), tmp_path / "file" / "models", quietly)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model called 'klaus'; known: vosk-model-small-en-us-0.15, vosk"):
        fetch.fetch("klaus", tmp_path, quietly)


def test_what_comes_with_stimme_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="comes with Stimme, there is nothing to fetch"):
        fetch.fetch("stimme-en-small-0.2", tmp_path, quietly)
