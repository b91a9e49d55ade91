"""Fuzzing by hand: ``python -m tests.fuzz --seconds 3600``, or ``http --number 10000``; see ``--help``."""

import argparse
import collections
import math
import statistics
import time
from pathlib import Path

import numpy as np

from tests.fuzz import decoder, web
from tests.fuzz.inputs import file_of
from tests.fuzz.requests import request_of
from tests.fuzz.server import Server


class Tally:
    """Counts of the outcomes; inputs with a finding are saved.

    Parameters
    ----------
    seed : int
    folder : pathlib.Path
        Where inputs that found something are saved.
    made : callable
        Gives the bytes of an input by its number.
    """

    def __init__(self, seed, folder, made):
        self.seed, self.folder, self.made = seed, folder, made
        self.outcomes, self.kinds = collections.Counter(), collections.Counter()
        self.findings, self.seconds, self.megabytes, self.slowest = [], [], [], {}

    def __call__(self, number, kind, outcome, seconds, megabytes, finding):
        self.outcomes[outcome] += 1
        self.kinds[kind] += 1
        self.seconds.append(seconds)
        self.slowest[outcome] = max(self.slowest.get(outcome, (0, 0)), (seconds, number))
        self.megabytes.append((megabytes, number))
        if finding:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{self.seed}-{number}"
            path.write_bytes(self.made(number))
            self.findings.append(f"{path}: {kind}: {finding}")
            print(self.findings[-1], flush=True)

    def summary(self):
        slowest = sorted(((*pair, outcome) for outcome, pair in self.slowest.items()), reverse=True)[:4]
        most = sorted(self.megabytes, reverse=True)[:3]
        return "\n".join(
            [
                f"{self.outcomes.total():,} inputs of seed {self.seed}, {len(self.findings)} findings.",
                "Kinds: " + ", ".join(f"{name} {n:,}" for name, n in self.kinds.most_common()),
                "Outcomes: " + ", ".join(f"{name} {n:,}" for name, n in self.outcomes.most_common()),
                f"Seconds: median {statistics.median(self.seconds):.4f}, most "
                + ", ".join(
                    f"{seconds:.2f} ({outcome}, input {number})" for seconds, number, outcome in slowest
                ),
                "Megabytes for the time: most "
                + ", ".join(f"{megabytes:.0f} (input {number})" for megabytes, number in most),
            ]
        )


def growth(memory):
    """Growth of the app and its workers in megabytes, from the median of the second quarter of the requests to that of the last.

    The first quarter is ignored, because some modules are loaded at their first use.
    """
    sizes = np.array([sum(row[1:]) for row in memory])
    quarter = max(1, len(sizes) // 4)
    return float(np.median(sizes[-quarter:]) - np.median(sizes[quarter : 2 * quarter]))


def _decoder(seed, rest, found):
    tally = Tally(seed, found / "decoder", lambda number: file_of(seed, number)[1])
    decoder.check(seed, *rest, tally)
    print(tally.summary())
    return tally


def _http(seed, rest, found):
    tally = Tally(seed, found / "http", lambda number: b"".join(request_of(seed, number).pieces))
    with Server(COUGHLAB_PAGES_STALL_S="4") as server:
        memory = web.check(server, seed, *rest, tally)
        print(tally.summary())
        for done, app, workers in memory[:: max(1, len(memory) // 10)]:
            print(f"After {done:,}: the app has {app:.0f} MB, its workers {workers:.0f} MB")
        print(f"The last quarter beside the one before the middle: {growth(memory):+.0f} MB")
        print(f"Log: {len(server.log_text()):,} bytes")
    return tally


TARGETS = {"decoder": _decoder, "http": _http}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="which; both unless given")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--number", type=int, help="how many inputs for each target")
    parser.add_argument(
        "--seconds", type=float, default=60, help="for how long each, where no number is given"
    )
    parser.add_argument("--found", type=Path, default=Path("build/fuzz"), help="where findings are saved")
    arguments = parser.parse_args()
    print(f"Seed {arguments.seed}.", flush=True)
    findings = []
    for target in arguments.targets or TARGETS:
        until = math.inf if arguments.number else time.monotonic() + arguments.seconds
        rest = (arguments.first, until, arguments.number or 10**12)
        print(f"{target}:", flush=True)
        findings += TARGETS[target](arguments.seed, rest, arguments.found).findings
    raise SystemExit(bool(findings))


if __name__ == "__main__":
    main()
