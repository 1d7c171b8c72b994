"""A small board on its own: 512 MB, no network card, the boot partition overwritten; then a Wi-Fi, and an idle hour."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.image.emulation import checks, disk, wifi
from tests.image.emulation.machine import Machine

if TYPE_CHECKING:
    from tests.image.emulation.run import Run

MEMORY_MIB = 512
IDLE_S = 3600
PATIENCE_S = 3600.0


def alone(run: Run) -> None:
    """512 MB, no network, the boot partition destroyed: it starts, finds a Wi-Fi, and leaves its card alone."""
    image = run.flat("alone")
    disk.destroy_boot(image)
    # The language was set on the boot partition. Pico, which speaks German, is the voice that emulation can bear.
    append = f"systemd.setenv=STIMME_LANGUAGE=de {wifi.APPEND}"
    try:
        with (
            run.boot(image, "alone", network=False, memory_mib=MEMORY_MIB, append=append, waits=False) as machine,
            run.looking() as look,
        ):
            checks.ready(run, machine)
            look(_answers_without_network, machine)
            look(_has_memory_to_spare, run, machine)
            look(wifi.joins_by_its_hotspot, machine)
            look(checks.settled, machine, PATIENCE_S)
            look(_leaves_the_card_alone, run, machine)
            look(_english_only, run, machine)
    finally:
        image.unlink(missing_ok=True)


def _answers_without_network(machine: Machine) -> None:
    machine.run("! mountpoint -q /boot/firmware")
    machine.run(
        'python3 -c "import urllib.request as u; '
        "assert u.urlopen('http://127.0.0.1/readyz', timeout=60).status == 200\""
    )


def _has_memory_to_spare(run: Run, machine: Machine) -> None:
    free = int(machine.run("awk '/^MemAvailable/ {print $2}' /proc/meminfo")) // 1024
    total = int(machine.run("awk '/^MemTotal/ {print $2}' /proc/meminfo")) // 1024
    run.note(small_rss_mb=checks.memory_mb(machine), small_total_mb=total, small_available_mb=free)
    run.say(f"of {total} MB {free} are free, the assistant's part is {run.figures['small_rss_mb']}; both languages")
    assert free > 64, "a 512 MB board has nothing to spare"


def _leaves_the_card_alone(run: Run, machine: Machine) -> None:
    """Sectors written to the root file system (/proc/diskstats, field 10) while nobody does anything."""
    machine.run("systemctl stop house-air house-dhcp phone-air listener; sync; sleep 60; sync", timeout_s=900)
    written = "awk '$3 == \"vda2\" {print $10}' /proc/diskstats"
    before, begin, here = int(machine.run(written)), checks.uptime_s(machine), time.monotonic()
    machine.run(f"sleep {IDLE_S}; sync", timeout_s=3 * IDLE_S)
    sectors, seconds = int(machine.run(written)) - before, checks.uptime_s(machine) - begin
    run.note(idle_s=round(seconds), idle_writes_mb_per_hour=round(sectors * 512 / 1e6 * 3600 / seconds, 3))
    run.say(
        f"{sectors * 512 / 1e6:.3f} MB written in {seconds:.0f} idle seconds ({time.monotonic() - here:.0f} s here)"
    )
    assert run.figures["idle_writes_mb_per_hour"] < 2, "an idle device writes to its card"


def _english_only(run: Run, machine: Machine) -> None:
    """As a board of 512 MB is best set up."""
    machine.run(
        "systemctl set-environment STIMME_LANGUAGE=en STIMME_LANGUAGES=en; systemctl restart stimme.service",
        timeout_s=PATIENCE_S,
    )
    run.note(rss_english_mb=checks.memory_mb(machine))
    run.say(f"English only: {run.figures['rss_english_mb']} MB")
