"""What can be known of the image without building it: seconds, no root, no network."""

import configparser
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml

from appliance.config import load, settings

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "image"
STAGE = IMAGE / "stage-stimme"
SUBSTAGE = STAGE / "00-stimme"
FILES = SUBSTAGE / "files"
UNITS = sorted((FILES / "etc/systemd/system").glob("stimme*"))

sys.path.insert(0, str(IMAGE))
import publish  # type: ignore[import-not-found]  # noqa: E402  a script of image/, not part of the package


def scripts() -> list[Path]:
    """Everything that begins with a shell's name."""
    found = [path for path in IMAGE.rglob("*") if path.is_file() and not path.is_symlink()]
    found += [ROOT / "tests/image/emulation/stage.sh"]
    return sorted(path for path in found if re.match(rb"#!.*\b(ba)?sh\b", path.read_bytes()))


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs the package shellcheck")
def test_shell_scripts_are_sound() -> None:
    found = [*scripts(), IMAGE / "common.sh", IMAGE / "config"]
    done = subprocess.run(
        ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", "--severity=warning", *found],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", scripts(), ids=lambda path: path.name)
def test_scripts_are_executable(script: Path) -> None:
    assert os.access(script, os.X_OK), "pi-gen leaves out what is not executable, without a word"


def test_the_stage_uses_only_what_pi_gen_documents() -> None:
    top = {path.name for path in STAGE.iterdir() if path.is_file()}
    assert top <= {"prerun.sh", "EXPORT_IMAGE", "SKIP", "SKIP_IMAGES"}
    known = re.compile(r"\d\d-(packages|packages-nr|debconf|run\.sh|run-chroot\.sh|patches)|files|SKIP")
    for folder in (path for path in STAGE.iterdir() if path.is_dir()):
        assert re.match(r"\d\d-", folder.name), "sub-stages are run in the order of their numbers"
        assert all(known.fullmatch(path.name) for path in folder.iterdir()), sorted(folder.iterdir())


def test_the_settings_are_those_that_pi_gen_documents() -> None:
    documented = {
        "IMG_NAME",
        "RELEASE",
        "TARGET_HOSTNAME",
        "STAGE_LIST",
        "DEPLOY_COMPRESSION",
        "FIRST_USER_NAME",
        "FIRST_USER_PASS",
        "DISABLE_FIRST_BOOT_USER_RENAME",
        "ENABLE_SSH",
        "PUBKEY_ONLY_SSH",
        "ENABLE_CLOUD_INIT",
        "LOCALE_DEFAULT",
        "TIMEZONE_DEFAULT",
        "WPA_COUNTRY",
    }
    config = (IMAGE / "config").read_text(encoding="utf-8")
    assert set(re.findall(r"^([A-Z_]+)=", config, re.M)) == documented
    pin = (IMAGE / "pi-gen.pin").read_text(encoding="utf-8")
    assert re.search(r"^PIGEN_TAG=\d{4}-\d\d-\d\d-", pin, re.M)
    assert re.search(r"^PIGEN_COMMIT=[0-9a-f]{7,40}$", pin, re.M)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
def test_units_are_sound(tmp_path: Path) -> None:
    """Their programs are not here, so others stand for them; our units know each other."""
    for unit in UNITS:
        text = re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", unit.read_text(encoding="utf-8"), flags=re.M)
        (tmp_path / unit.name).write_text(text)
    for other in ("avahi-daemon", "NetworkManager", "cloud-final"):  # Debian's, which need not be installed here
        (tmp_path / f"{other}.service").write_text("[Service]\nExecStart=/bin/true\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(tmp_path / unit.name for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    ours = [line for line in done.stderr.splitlines() if "stimme" in line]
    assert done.returncode == 0 and not ours, done.stderr


def test_everything_a_unit_starts_is_there() -> None:
    for unit in UNITS:
        for program in re.findall(r"^ExecStart=(\S+)", unit.read_text(encoding="utf-8"), re.M):
            if not program.startswith("/opt/stimme/current/bin/"):
                assert (FILES / program.lstrip("/")).is_file(), f"{unit.name} starts {program}"
        for module in re.findall(r"-m (appliance\.\S+)", unit.read_text(encoding="utf-8")):
            assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), f"{unit.name} runs {module}"


def test_the_service_keeps_what_the_design_asks_for() -> None:
    text = (FILES / "etc/systemd/system/stimme.service").read_text(encoding="utf-8")
    for line in (
        "Type=notify",
        "User=stimme",
        "RestartPreventExitStatus=2 3",
        "Alias=ws-server.service",
        "LimitCORE=0",
    ):
        assert re.search(rf"^{re.escape(line)}$", text, re.M), line
    assert re.search(r"^WatchdogSec=\d+$", text, re.M)
    after = " ".join(re.findall(r"^After=(.*)$", text, re.M))
    assert "network" not in after and "multi-user" not in after, "it must not wait for either (pi-gen issue 913)"


def test_what_the_chroot_script_enables_exists() -> None:
    script = (SUBSTAGE / "02-run-chroot.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    enabled = re.search(r"^systemctl enable (.*)$", script, re.M)
    assert enabled
    ours = {name for name in enabled[1].split() if name.startswith("stimme")}
    assert ours <= {unit.name for unit in UNITS}
    wanted = {unit.name for unit in UNITS if "[Install]" in unit.read_text(encoding="utf-8")}
    assert ours == wanted, "every unit that can be enabled is"


def test_the_shipped_settings_are_accepted(tmp_path: Path) -> None:
    appliance = load(FILES / "etc/stimme/stimme.toml", environment={})
    assert (appliance.server.page_port, appliance.server.secure_port, appliance.server.port) == (80, 443, 8123)
    assert appliance.server.lan and appliance.server.pairing == "network" and appliance.device.enabled
    assert str(appliance.state_path()) == "/var/lib/stimme", "sudo stimme paired … must see what the service sees"
    boot = (FILES / "boot/firmware/stimme.toml").read_text(encoding="utf-8")
    load(FILES / "boot/firmware/stimme.toml", environment={})
    everything = tmp_path / "stimme.toml"
    everything.write_text(re.sub(r"^#(?! )", "", boot, flags=re.M))
    assert load(everything, environment={}).device.gpio_button == 17, "each line that is commented out is valid too"
    assert set(tomllib.loads(everything.read_text())["device"]) <= {
        path.removeprefix("device.") for path, _ in settings() if path.startswith("device.")
    }


@pytest.mark.parametrize("name", ["user-data", "network-config", "meta-data"])
def test_cloud_init_files_are_valid(name: str) -> None:
    text = (FILES / "boot/firmware" / name).read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    if name == "user-data":
        assert text.startswith("#cloud-config\n") and content is None, "Imager's settings are the only ones"
    elif name == "network-config":
        assert content == {"network": {"version": 2, "renderer": "NetworkManager"}}
    else:
        assert content["instance-id"]


def test_the_network_managers_file_is_one() -> None:
    parser = configparser.ConfigParser()
    parser.read(FILES / "etc/NetworkManager/conf.d/60-stimme.conf")
    assert parser["connection"]["wifi.powersave"] == "2"


def test_every_sysctl_value_has_its_reason() -> None:
    block: list[str] = []
    for line in (FILES / "etc/sysctl.d/60-stimme.conf").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            block.append(line)
        elif not line:
            block = []
        else:
            assert re.fullmatch(r"[\w.-]+ = \S.*", line) and block, f"{line}: no reason above it"


def test_the_firewall_opens_only_what_listens() -> None:
    rules = (FILES / "etc/nftables.conf").read_text(encoding="utf-8")
    assert "hook input priority filter; policy drop;" in rules
    groups = re.findall(r"^\t\ttcp dport \{? ?([\d, ]+)", rules, re.M)
    opened = {port for group in groups for port in re.findall(r"\d+", group)}
    assert opened == {"80", "443", "8123", "22", "8080"}


def test_the_assistant_may_restart_and_switch_off_and_no_more() -> None:
    rule = (FILES / "etc/polkit-1/rules.d/60-stimme.rules").read_text(encoding="utf-8")
    assert 'subject.user == "stimme"' in rule and rule.count("polkit.Result.") == 1
    assert {name.removesuffix("-multiple-sessions") for name in re.findall(r'"org\.freedesktop\.([\w.-]+)"', rule)} == {
        "login1.reboot",
        "login1.power-off",
    }


@pytest.mark.skipif(not shutil.which("runuser"), reason="needs runuser")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as sudo gives it")
def test_what_sudo_starts_runs_as_the_assistant_but_for_updates(tmp_path: Path) -> None:
    program = tmp_path / "stimme"
    program.write_text('#!/bin/sh\necho "$(id -un) $HOME $*"\n')
    for path in (tmp_path, program):
        path.chmod(0o755)
    wrapper = (FILES / "usr/bin/stimme").read_text(encoding="utf-8")
    wrapper = wrapper.replace("/opt/stimme/current/bin/stimme", "./stimme").replace("-u stimme", "-u nobody")
    for arguments, expected in (
        ("paired add TV", "nobody /var/lib/stimme paired add TV\n"),
        ("update --check", f"root {os.environ['HOME']} update --check\n"),
    ):
        done = subprocess.run(
            ["sh", "-c", wrapper, "stimme", *arguments.split()],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == expected


def test_the_lock_names_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for machine in ("aarch64-cp313", "x86_64-cp313", "x86_64-cp311"):
        lock = (ROOT / "requirements" / f"{machine}.lock").read_text(encoding="utf-8")
        locked = set(re.findall(r"^([a-z0-9-]+)==\S+ --hash=sha256:[0-9a-f]{64}$", lock, re.M))
        wanted = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-") for line in project["dependencies"]}
        if machine == "aarch64-cp313":
            wanted.discard("evdev")  # Debian's
        assert wanted <= locked, f"run: make lock ({machine} lacks {wanted - locked})"


def test_the_manifest_is_one_that_imager_takes(tmp_path: Path) -> None:
    image = tmp_path / "stimme-0.1.0.img.xz"
    image.write_bytes(b"packed")
    manifest = publish.manifest("0.1.0", image, 123, "a" * 64, datetime.date(2026, 11, 24))
    schema = json.loads((ROOT / "tests/image/os-list.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(manifest, schema)
    entry = manifest["os_list"][0]
    assert entry["image_download_size"] == 6 and entry["init_format"] == "cloudinit-rpi"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"os_list": [entry | {"extract_sha256": "?"}]}, schema)


def test_the_bill_of_materials_names_debian_python_and_models(tmp_path: Path) -> None:
    models = tmp_path / "models" / "stimme-en-small-0.2"
    models.mkdir(parents=True)
    site = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    bill = publish.bill_of_materials("0.1.0", "python3 3.13.5-1 arm64\n", site, models.parent)
    urls = {one.get("purl", one["name"]) for one in bill["components"]}
    assert "pkg:deb/debian/python3@3.13.5-1?arch=arm64" in urls and "stimme-en-small-0.2" in urls
    assert any(url.startswith("pkg:pypi/websockets@") for url in urls)
