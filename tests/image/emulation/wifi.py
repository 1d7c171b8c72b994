"""The hotspot on simulated radios (mac80211_hwsim): the device, a phone and the house's own Wi-Fi, all in one guest.

Real 802.11 frames, WPA2, DHCP, NetworkManager and firewall; only the air is made up. Phone and house live in network
namespaces, so that they reach the device through its firewall.
"""

from __future__ import annotations

import json

from tests.image.emulation import checks
from tests.image.emulation.machine import Machine
from tests.image.emulation.root import WORK

APPEND = "modules_load=mac80211_hwsim mac80211_hwsim.radios=3"
"""For the kernel's command line: the device has wlan0, the phone wlan1, the house wlan2."""

HOUSE, PASSWORD = "house", "kitchen table"
FETCH = (
    "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], sys.argv[2].encode() or None, 120).read().decode())"
)
PATIENCE_S = 1800.0

PREPARE = f"""bash -e <<'S'
umask 077
for each in phone:wlan1 house:wlan2; do
  ip netns add ${{each%:*}}
  iw phy "$(cat /sys/class/net/${{each#*:}}/phy80211/name)" set netns name ${{each%:*}}
  ip -n ${{each%:*}} link set lo up
  ip -n ${{each%:*}} link set ${{each#*:}} up
done
cat >/run/house.conf <<'C'
network={{
  ssid="{HOUSE}"
  psk="{PASSWORD}"
  mode=2
  key_mgmt=WPA-PSK
  proto=RSN
  pairwise=CCMP
  frequency=2412
}}
C
ip -n house address add 192.168.77.1/24 dev wlan2
systemd-run --quiet --unit=house-air ip netns exec house wpa_supplicant -i wlan2 -c /run/house.conf
systemd-run --quiet --unit=house-dhcp ip netns exec house dnsmasq --keep-in-foreground --interface=wlan2 \\
  --bind-interfaces --dhcp-range=192.168.77.50,192.168.77.60 --port=0 --leasefile-ro --conf-file=/dev/null --user=root
S"""


def joins_by_its_hotspot(machine: Machine) -> None:
    """Without a network it opens its own; a phone joins, fills in the form, and it is in the house's Wi-Fi."""
    machine.run(PREPARE)
    machine.wait_for("test -s /run/stimme-system/hotspot", timeout_s=PATIENCE_S, every_s=5)
    shown = json.loads(machine.run("cat /run/stimme-system/hotspot"))
    assert shown["ssid"] == machine.run("hostname") and len(shown["password"]) == 8, shown
    machine.wait_for(f"grep -q {shown['password']} /dev/vcs1", timeout_s=300)
    machine.screenshot(WORK / "hotspot.png")
    machine.run(
        f'printf \'network={{\\n ssid="{shown["ssid"]}"\\n psk="{shown["password"]}"\\n}}\\n\' >/run/phone.conf; '
        "systemd-run --quiet --unit=phone-air ip netns exec phone wpa_supplicant -i wlan1 -c /run/phone.conf; "
        "ip -n phone address add 10.42.0.99/24 dev wlan1"
    )
    machine.wait_for("ip netns exec phone iw dev wlan1 link | grep -q Connected", timeout_s=600)
    _nobody_else_answers(machine, "phone", "10.42.0.1")
    form = _fetch(machine, "phone", "http://10.42.0.1/")
    assert "Join Wi-Fi" in form and f'value="{HOUSE}"' in form, form
    _fetch(machine, "phone", "http://10.42.0.1/", f"ssid={HOUSE}&password={PASSWORD.replace(' ', '+')}")
    machine.wait_for("ip -4 address show wlan0 | grep -q 192.168.77.", timeout_s=PATIENCE_S, every_s=5)
    machine.wait_for("test ! -e /run/stimme-system/hotspot", timeout_s=300)
    assert machine.run("nmcli --terse --fields NAME connection show --active | grep -cx house") == "1"
    address = machine.run("ip -4 -o address show wlan0 | awk '{print $4}'").partition("/")[0]
    assert "<html" in _fetch(machine, "house", f"http://{address}/"), "the page is not there in the house's Wi-Fi"
    _nobody_else_answers(machine, "house", address)
    checks.no_failed_units(machine)


def _fetch(machine: Machine, where: str, url: str, form: str = "") -> str:
    return machine.run(f"ip netns exec {where} python3 -c '{FETCH}' {url} '{form}'", timeout_s=900)


def _nobody_else_answers(machine: Machine, where: str, address: str) -> None:
    """A port that nobody opened, though something listens there."""
    machine.run(
        "systemctl is-active --quiet listener || { systemd-run --quiet --unit=listener python3 -m http.server 9999; "
        "until ss -tln | grep -q :9999; do sleep 1; done; }"
    )
    code, said = machine.try_run(
        f"ip netns exec {where} timeout 20 bash -c 'exec 3<>/dev/tcp/{address}/9999 && echo open'", timeout_s=600
    )
    assert code != 0 and "open" not in said, f"port 9999 answers in {where}"
