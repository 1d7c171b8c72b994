"""What the image must do, one function a scenario. Boots last minutes in emulation, so each asks as much as it can."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.image.emulation import checks, disk, updates
from tests.image.emulation.alone import alone
from tests.image.emulation.client import RATE, Client
from tests.image.emulation.machine import Machine
from tests.image.emulation.power import power_cuts
from tests.image.emulation.root import WORK
from tests.image.emulation.speech import spoken, transcribed
from tests.image.emulation.wire import Wire

if TYPE_CHECKING:
    from tests.image.emulation.run import Run

PATIENCE_S = 3600.0
"""For anything that takes long in emulation, in this machine's time; the guest's own time is its own (machine.py)."""

QUESTION = "wie spät ist es"
SETTINGS = 'language = "de"\n[device]\nkey = "KEY_SPACE"\n'
"""Of the person who prepared the card. Pico, the German voice, reckons in integers: English would take half an hour."""


def first_boot(run: Run) -> None:
    """A fresh card, prepared in German: everything that can be asked of it, and its welcome."""
    _put_settings(run.image, SETTINGS)
    wire = run.wire("first-boot")
    with run.boot(run.layer("first-boot", run.image), "first-boot", wire=wire) as machine:
        run.note(ready_s=round(checks.ready(run, machine), 1), ready_cpu_s=round(machine.cpu_s))
        client = run.client(machine)
        with run.looking() as look:
            run.note(rss_mb=look(checks.memory_mb, machine))
            look(checks.strangers_see_only_the_way_in, client)
            look(checks.screen_shows_the_way, machine)
            look(client.pair, lambda: checks.screen(machine))
            run.keep(client)
            look(checks.page_over_https, client)
            look(checks.websocket_answers, client)
            look(checks.sysctl_as_written, machine)
            look(checks.guides_commands, machine)
            look(checks.firewall, machine)
            look(checks.journal_is_volatile, machine)
            look(checks.named_once, machine)
            look(checks.no_accounts, machine)
            look(checks.may_restart_the_device, machine)
            run.note(security=look(checks.is_hardened, machine))
            look(_timer_is_set, client)
            look(_welcomes, run, machine, wire)
            look(checks.cloud_init_is_done, machine)
            look(checks.settled, machine, PATIENCE_S)
            look(_chain, run, machine)
            machine.shut_down(900)


def _chain(run: Run, machine: Machine) -> None:
    """What the start waited for."""
    run.say(machine.run("systemd-analyze --no-pager; systemd-analyze critical-chain stimme.service --no-pager"))
    run.say(
        machine.run("journalctl -b -o short-monotonic --no-pager | grep -iE 'microphone|loudspeaker|virtio.snd' | head")
    )


def _put_settings(image: Path, text: str) -> None:
    file = WORK / "stimme.toml"
    file.write_text(text, encoding="utf-8")
    disk.put(image, file, "stimme.toml")


def _timer_is_set(client: Client) -> None:
    assert client.ask("set a timer for 30 hours called bread").understood


def _welcomes(run: Run, machine: Machine, wire: Wire) -> None:
    """Once, aloud, in the language that was chosen, with the address."""
    machine.wait_for("test -e /var/lib/stimme-system/welcomed", timeout_s=PATIENCE_S, every_s=10)
    machine.wait_for("grep -q 'bin Stimme' /dev/vcs1", timeout_s=900)
    machine.screenshot(WORK / "welcome.png")
    heard = _said(machine, wire, 0)
    run.say(f"said at the first start: {heard!r}")
    assert {"hallo", "bereit", "seite"} <= set(heard.split()), heard
    assert "wieder" not in heard.split(), "it tells that a microphone is back which never was away"


def _said(machine: Machine, wire: Wire, since: int) -> str:
    """What the loudspeaker has said since a mark, once it is silent again; in German words. Tones are no words."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        machine.wait_until(lambda: wire.is_quiet(since), timeout_s=PATIENCE_S, what="end of speech")
        if heard := transcribed(wire.spoken(since), "de"):
            return heard
        time.sleep(5)
    raise AssertionError("nothing was said")


def second_boot(run: Run) -> None:
    """A mistake in stimme.toml, put right; all is kept; a held key asks; a newer release, and one that is broken."""
    image = run.flat("second-boot")
    disk.grow(image, 1 << 30)  # three releases must fit beside each other
    _put_settings(image, 'langauge = "de"\n')
    wire = run.wire("second-boot")
    with run.boot(image, "second-boot", wire=wire) as machine, run.looking() as look:
        look(_says_what_is_wrong, run, machine, wire)
        look(_is_put_right, machine)
        client = run.client(machine)
        look(_kept, machine, client)
        look(_answers_a_held_key, run, machine, wire)
        run.note(rss_after_turn_mb=look(checks.memory_mb, machine))
        look(updates.update, run, machine, client)
        look(_spoken_turn, run, machine, client)
        look(checks.settled, machine, PATIENCE_S)
        machine.shut_down(900)


def _says_what_is_wrong(run: Run, machine: Machine, wire: Wire) -> None:
    """Not started again and again; on the screen and aloud."""
    machine.wait_for("systemctl is-failed --quiet stimme.service", timeout_s=PATIENCE_S)
    assert machine.run("systemctl show -P ExecMainStatus stimme.service") == "2"
    assert machine.run("systemctl show -P NRestarts stimme.service") == "0"
    machine.wait_for("grep -q 'did you mean' /dev/vcs1", timeout_s=900)
    machine.screenshot(WORK / "wrong-settings.png")
    machine.wait_for("! systemctl is-active --quiet stimme-trouble.service", timeout_s=900)
    said = machine.run("journalctl -b -u stimme-trouble -o cat --no-pager")
    assert "did you mean 'language'" in said, said
    pcm = wire.spoken()
    run.say(said)
    run.say(f"the complaint: {len(pcm) / 2 / RATE:.1f} s of sound, {transcribed(pcm, 'en')!r}")
    assert len(pcm) > 2 * 2 * RATE, "nothing was said"


def _is_put_right(machine: Machine) -> None:
    """As somebody would at a PC, and then starts it again."""
    machine.run(
        f"printf '{SETTINGS.replace(chr(10), chr(92) + 'n')}' >/boot/firmware/stimme.toml; sync; "
        "systemctl reset-failed stimme.service; systemctl restart stimme.service",
        timeout_s=PATIENCE_S,
    )


def _kept(machine: Machine, client: Client) -> None:
    """Timers and the paired browser; what is done once is not done again."""
    said = client.ask("how long is left on the bread timer").text
    assert "bread" in said.lower(), said
    assert machine.run("systemctl show -P ConditionResult stimme-first-boot.service") == "no"
    assert machine.run("systemctl show -P ConditionResult stimme-welcome.service") == "no"


def _answers_a_held_key(run: Run, machine: Machine, wire: Wire) -> None:
    """The space bar is held, a voice asks at the microphone, the loudspeaker answers."""
    machine.wait_for("journalctl -b -u stimme -o cat | grep -q 'push-to-talk key on'", timeout_s=900)
    pcm = spoken(QUESTION, "de")
    since = wire.played
    machine.key("spc", down=True)
    wire.say(pcm)
    machine.wait_until(lambda: wire.is_heard(machine.pid), timeout_s=PATIENCE_S, what="the question being heard")
    machine.key("spc", down=False)
    machine.wait_for("grep -aq '> wie sp.t ist es' /dev/vcs1", timeout_s=PATIENCE_S)
    machine.screenshot(WORK / "key.png")
    heard = _said(machine, wire, since)
    run.say(f"asked at the microphone while the key was held: {QUESTION!r}; the loudspeaker answered: {heard!r}")
    assert "uhr" in heard.split() or "minuten" in heard, heard


def _spoken_turn(run: Run, machine: Machine, client: Client) -> None:
    """Over the WebSocket: a voice asks, it hears, answers, and is understood."""
    begin = checks.uptime_s(machine)
    answer = client.speak(spoken(QUESTION, "de"), "de")
    run.say(
        f"heard {answer.heard!r}, answered {answer.text!r} with {len(answer.pcm) / 2 / RATE:.1f} s of sound "
        f"after {checks.uptime_s(machine) - begin:.0f} s of the guest's time"
    )
    assert answer.heard == QUESTION and answer.intent == "HassGetCurrentTime", answer
    again = transcribed(answer.pcm, "de")
    run.say(f"the reply, transcribed again: {again!r}")
    assert set(again.split()) & set(re.findall(r"\w+", answer.text.lower())), "the reply is not speech"


SCENARIOS: dict[str, Callable[[Any], None]] = {
    "first-boot": first_boot,
    "second-boot": second_boot,
    "alone": alone,
    "power-cuts": partial(power_cuts, times=10),
}
"""In the order of what they tell; a run that is cut off goes on with the next (run.py)."""
