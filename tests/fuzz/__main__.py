"""Coverage-guided fuzzing of everything that reads strangers' bytes (atheris; `pip install -e .[fuzz]`).

    python -m tests.fuzz [TARGET …] [--cases N] [--seed S]

Each target gets N cases in a process of its own; the last lines say how many there were, with which seed, and how much
memory was needed. A case that breaks a promise ends it and is kept in build/fuzz/.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.targets import SEEDS, TARGETS

FOLDER = Path(__file__).parents[2] / "build" / "fuzz"
MOST_MB = 600
LONGEST_S = 5


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("targets", nargs="*", default=list(TARGETS))
    parser.add_argument("--cases", type=int, default=2_500_000, help="for each target")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        run(options.targets[0], options.cases, options.seed)
    failed = 0
    for target in options.targets:
        begin = time.monotonic()
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.fuzz",
                target,
                "--inside",
                f"--cases={options.cases}",
                f"--seed={options.seed}",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line for line in done.stderr.splitlines() if line.startswith("Done")]
        state = "no crash, hang or growth" if done.returncode == 0 else "BROKEN"
        print(
            f"{target}: {options.cases} cases, seed {options.seed}, {time.monotonic() - begin:.0f} s: {state}; "
            f"{' '.join(lines)}",
            flush=True,
        )
        if done.returncode:
            failed += 1
            print(f"exit code {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-1000:]}")
    return 1 if failed else 0


def run(target: str, cases: int, seed: int) -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris

    # Loaded again, so that it is instrumented; the package of the targets as well, which else keeps what it imported.
    again = ("appliance.server", "appliance.helpers", "appliance.audio", "h11", "websockets")
    with atheris.instrument_imports(include=list(again), enable_loader_override=False):
        import importlib

        for name in [name for name in sys.modules if name.startswith((*again, "tests.fuzz"))]:
            del sys.modules[name]
        targets = importlib.import_module("tests.fuzz.targets")
    corpus = FOLDER / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(SEEDS[target]):
        (corpus / f"seed-{number}").write_bytes(content)
    atheris.Setup(
        [
            sys.argv[0],
            str(corpus),
            f"-runs={cases}",
            f"-seed={seed}",
            f"-rss_limit_mb={MOST_MB}",
            "-max_len=4096",
            f"-timeout={LONGEST_S}",
            f"-artifact_prefix={FOLDER}/{target}-",
        ],
        targets.TARGETS[target],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
