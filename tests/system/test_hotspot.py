"""The hotspot against a fake nmcli: a state machine that answers as nmcli 1.52 does, and remembers what it was told."""

import threading
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.system import hotspot
from appliance.system.hotspot import Wish


class FakeNmcli:
    """One Wi-Fi device; `houses` are the networks around with their passwords."""

    def __init__(self, houses: dict[str, str], *, wired: bool = False) -> None:
        self.houses, self.wired = houses, wired
        self.connected = ""
        self.is_hotspot = False
        self.history: list[str] = []

    def __call__(self, command: Sequence[str]) -> tuple[int, str]:
        words = [word for word in command[1:] if not word.startswith("--")]
        match [word for word in words if word not in ("DEVICE,TYPE", "TYPE,STATE", "SIGNAL,SSID", "no", "yes", "60")]:
            case ["device"] if "TYPE,STATE" in words:
                state = "connected" if self.connected or self.is_hotspot else "disconnected"
                wire = "ethernet:connected\n" if self.wired else "ethernet:unavailable\n"
                return 0, f"wifi:{state}\n{wire}loopback:connected (externally)\n"
            case ["device"]:
                return 0, "wlan0:wifi\neth0:ethernet\nlo:loopback\n"
            case ["device", "wifi", "list"]:
                assert not self.is_hotspot, "a device that is a hotspot cannot look around"
                return 0, "".join(f"{60 + i}:{name}\n" for i, name in enumerate(self.houses)) + "12:\n"
            case [
                "device",
                "wifi",
                "hotspot",
                "ifname",
                "wlan0",
                "con-name",
                "stimme-hotspot",
                "ssid",
                _,
                "password",
                key,
            ]:
                assert len(key) == 8 and key.isdecimal()
                self.is_hotspot, self.connected = True, ""
                self.history.append("hotspot")
                return 0, ""
            case ["connection", "delete", "stimme-hotspot"]:
                self.is_hotspot = False
                self.history.append("closed")
                return 0, ""
            case ["connection", "delete", name]:
                self.history.append(f"forgot {name}")
                return 0, ""
            case ["device", "wifi", "connect", name, *rest]:
                assert not self.is_hotspot
                if self.houses.get(name) == (rest[1] if rest[0] == "password" else ""):
                    self.connected = name
                    self.history.append(f"joined {name}")
                    return 0, "successfully activated"
                return 4, "Error: Connection activation failed: (7) Secrets were required, but not provided."
        raise AssertionError(f"nmcli does not know {command}")


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(hotspot, "STATE", tmp_path / "hotspot")
    monkeypatch.setattr("appliance.system.hotspot.time.sleep", lambda seconds: None)
    return tmp_path


def test_a_cable_or_a_known_network_is_a_link() -> None:
    assert hotspot.has_link(FakeNmcli({}, wired=True))
    assert not hotspot.has_link(FakeNmcli({}))


def test_networks_come_strongest_first_and_without_nameless_ones() -> None:
    assert hotspot.networks(FakeNmcli({"weak": "", "strong": ""})) == ["strong", "weak"]


def test_the_right_password_joins_the_house(places: Path) -> None:
    nmcli = FakeNmcli({"Zuhause": "geheim123"})
    seen: list[tuple[Sequence[str], str]] = []

    def ask(names: Sequence[str], failed: str, seconds: float) -> Wish:
        seen.append((names, failed))
        assert '"password"' in (places / "hotspot").read_text(), "the screen knows it while the hotspot is open"
        return Wish("Zuhause", "geheim123")

    assert hotspot.help_out(nmcli, ask, "stimme-a1b2")
    assert nmcli.history == ["hotspot", "closed", "joined Zuhause"] and seen == [(["Zuhause"], "")]
    assert not (places / "hotspot").exists()


def test_a_wrong_password_opens_the_hotspot_again_and_is_not_kept() -> None:
    nmcli = FakeNmcli({"Zuhause": "geheim123"})
    wishes = iter([Wish("Zuhause", "falsch1234"), Wish("Zuhause", "geheim123")])
    failures: list[str] = []

    def ask(names: Sequence[str], failed: str, seconds: float) -> Wish:
        failures.append(failed)
        return next(wishes)

    assert hotspot.help_out(nmcli, ask, "stimme-a1b2")
    assert nmcli.history == ["hotspot", "closed", "forgot Zuhause", "hotspot", "closed", "joined Zuhause"]
    assert failures == ["", "Zuhause"]


def test_when_nobody_comes_it_closes_and_gives_up(places: Path) -> None:
    nmcli = FakeNmcli({"Zuhause": "geheim123"})
    assert not hotspot.help_out(nmcli, lambda names, failed, seconds: None, "stimme-a1b2")
    assert nmcli.history == ["hotspot", "closed"] and not nmcli.is_hotspot


def test_the_form_brings_what_was_typed_and_shows_the_networks() -> None:
    port, got = _free_port(), []
    asking = threading.Thread(
        target=lambda: got.append(hotspot.ask(["<Häuschen>"], "altes", 20, address="127.0.0.1", port=port))
    )
    asking.start()
    shown = _open(port).read().decode()
    assert "&lt;Häuschen&gt;" in shown and "altes" in shown
    too_short = urllib.parse.urlencode({"ssid": "x", "password": "kurz"}).encode()
    assert "<form" in _open(port, too_short).read().decode()
    form = urllib.parse.urlencode({"ssid": "Häuschen", "password": "süß & geheim"}).encode()
    assert "joins your Wi-Fi" in _open(port, form).read().decode()
    asking.join(20)
    assert got == [Wish("Häuschen", "süß & geheim")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ssid=",
        b"ssid=--help",
        b"ssid=" + b"x" * 33,
        b"ssid=house&password=short",
        b"ssid=house&password=" + b"x" * 64,
    ],
)
def test_what_no_network_can_be_called_is_refused(body: bytes) -> None:
    assert hotspot.wished(body) is None


def test_an_open_network_has_no_password() -> None:
    assert hotspot.wished(b"ssid=caf%C3%A9&password=") == Wish("café", "")


def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _open(port: int, data: bytes | None = None):  # type: ignore[no-untyped-def]
    for attempt in range(100):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/", data, timeout=10)
        except OSError:
            if attempt == 99:
                raise
            threading.Event().wait(0.05)
