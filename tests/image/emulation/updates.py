"""Updates on the running image: a newer release from a signed source, and a broken one that takes itself back."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.image.emulation import checks
from tests.image.emulation.client import Client
from tests.image.emulation.machine import Machine
from tests.image.emulation.root import WORK

if TYPE_CHECKING:
    from tests.image.emulation.run import Run

NEWER, BROKEN = "0.9.1", "0.9.2"
PATIENCE_S = 3600.0
STIMME = "env UPDATE_HEALTH_S=900 stimme"
"""The emulated machine is slower than the slowest board: its self-spoken turn may take longer."""


def update(run: Run, machine: Machine, client: Client) -> None:
    """From the release of the image to a newer one; then to one that does not start, which is taken back."""
    key = Ed25519PrivateKey.generate()
    folder = WORK / "published"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _publish(run.version, NEWER, folder, key, breaks=False)
    _publish(run.version, BROKEN, folder, key, breaks=True)
    with _served(folder) as port:
        url = f"http://10.0.2.2:{port}"  # this machine, as QEMU shows it to the guest
        _needs_a_key(machine, run.version, url, key)
        assert client.ask("set a timer for 40 hours called update").understood
        run.say(f"update: {machine.run(f'{STIMME} update {url}/stimme-{NEWER}.json', timeout_s=PATIENCE_S)}")
        assert machine.run("readlink /opt/stimme/current") == NEWER
        assert machine.run("stimme --version").endswith(NEWER)
        assert "update" in client.ask("how long is left on the update timer").text, "the newer release lost a timer"
        code, said = machine.try_run(f"{STIMME} update {url}/stimme-{BROKEN}.json", timeout_s=PATIENCE_S)
        run.say(f"broken update: {said}")
        assert code == 1 and f"{NEWER} is in use again" in said, (code, said)
        machine.wait_for(checks.READY, timeout_s=PATIENCE_S)
        assert machine.run("readlink /opt/stimme/current") == NEWER
        assert "update" in client.ask("how long is left on the update timer").text
        code, said = machine.try_run(f"{STIMME} update --check {url}/stimme-{BROKEN}.json", timeout_s=PATIENCE_S)
        assert code == 0 and "nothing newer" in said, "a release that failed is offered again"
        machine.run("test ! -e /var/lib/stimme-system/update-pending")


def _needs_a_key(machine: Machine, version: str, url: str, key: Ed25519PrivateKey) -> None:
    """Nobody's releases are taken before their key is there; then the newer one is offered."""
    check = f"{STIMME} update --check {url}/stimme-{NEWER}.json"
    code, said = machine.try_run(check, timeout_s=PATIENCE_S)
    assert code == 1 and "no key" in said, f"without any key: {said}"
    public = b64encode(key.public_key().public_bytes_raw()).decode()
    machine.run(f"echo {public} >/etc/stimme/release-keys/test.pub")
    code, said = machine.try_run(check, timeout_s=PATIENCE_S)
    assert (code, said) == (4, f"{NEWER} is there; {version} is in use"), (code, said)


def _publish(made: str, version: str, folder: Path, key: Ed25519PrivateKey, *, breaks: bool) -> None:
    """The assembled release under another number; breaks: it stops at its start. As image/sign would publish it."""
    release = WORK / "release" / f"tree-{made}" / "opt" / "stimme" / made
    copy = WORK / "published-tree" / version
    shutil.rmtree(copy.parent, ignore_errors=True)
    shutil.copytree(release, copy, symlinks=True)
    program = copy / "bin" / "stimme"
    program.write_text(program.read_text().replace(f"/opt/stimme/{made}/", f"/opt/stimme/{version}/"))
    package = copy / "lib" / "python3.13" / "site-packages" / "appliance"
    module = package / "__init__.py"
    module.write_text(module.read_text().replace(made, version))
    (package / "__pycache__" / "__init__.cpython-313.pyc").unlink(missing_ok=True)  # of the old source, never checked
    if breaks:
        app = package / "app.py"
        app.write_text(app.read_text().replace("import asyncio\n", "import asyncio\nraise SystemExit(1)\n", 1))
        (package / "__pycache__" / "app.cpython-313.pyc").unlink()
    about = json.loads((copy / "release.json").read_text()) | {"version": version}
    archive = folder / f"stimme-{version}.tar.zst"
    subprocess.run(
        [
            "tar",
            "-C",
            str(copy.parent),
            "--create",
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--zstd",
            f"--file={archive}",
            version,
        ],
        check=True,
    )
    files = {archive.name: {"size": archive.stat().st_size, "sha256": sha256(archive.read_bytes()).hexdigest()}}
    manifest = json.dumps(
        {name: about[name] for name in ("version", "machine", "python", "models")} | {"files": files}
    ).encode()
    (folder / f"stimme-{version}.json").write_bytes(manifest)
    (folder / f"stimme-{version}.json.sig").write_bytes(b64encode(key.sign(manifest)))
    shutil.rmtree(copy.parent)


@contextmanager
def _served(folder: Path) -> Iterator[int]:
    """A web server on loopback; its port."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
