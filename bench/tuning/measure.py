"""The measurement itself, in the environment that has the libraries: ``SEEDS TRIALS ONLY PLOT``."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.tuning import _hyperband
from bench.tuning._problems import Problem, problems
from bench.tuning._searches import clary, plain_optuna, random_points

OPTUNA, CLARY, AT_ONCE = "plain Optuna", "Clary", "Clary, 4 at once"
SEARCHES = {
    OPTUNA: plain_optuna,
    CLARY: clary,
    AT_ONCE: lambda problem, count, seed: clary(problem, count, seed, 4),
}


@dataclass
class Found:
    """What the searches found for one problem, or for several."""

    name: str
    losses: dict[str, list[list[float]]] = field(default_factory=dict)
    """By search, the best loss so far after each trial, for each seed."""
    shares: dict[str, list[float]] = field(default_factory=dict)
    """By search, what it took to reach the best of random search, as a share of all that random search took; infinite
    where it was not reached."""

    def final(self, search: str) -> list[float]:
        """The best loss of each seed."""
        return [losses[-1] for losses in self.losses[search]]


def main(seeds: int, trials: int, only: str, plot: str) -> None:
    """Print a line for each problem, then one for all of them; draw ``plot`` unless it is empty."""
    print("Share of random search's trials, or of its training, until its best is reached (median of the seeds):\n")
    print("| problem | plain Optuna | Clary | Clary, 4 at once | Hyperband: epochs | seconds |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    found = []
    for problem in problems():
        if only in problem.name:
            found.append(_measured(problem, seeds, trials))
            print(f"| {found[-1].name} | {_medians(found[-1].shares)} |", flush=True)
    together = {name: [share for each in found for share in each.shares[name]] for name in found[0].shares}
    print(f"| all | {_medians(together)} |")
    reached = {name: sum(share < math.inf for share in shares) / len(shares) for name, shares in together.items()}
    print("| reached at all | " + " | ".join(f"{share:.0%}" for share in reached.values()) + " |")
    print("\nThe best loss after all trials (mean of the seeds), and for how many seeds it is below plain Optuna's:\n")
    print("| problem | random | plain Optuna | Clary | Clary, 4 at once | Clary below Optuna | above |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    wins = losses = 0
    for each in found:
        pairs = list(zip(each.final(CLARY), each.final(OPTUNA), strict=True))
        below, above = sum(ours < theirs for ours, theirs in pairs), sum(ours > theirs for ours, theirs in pairs)
        wins, losses = wins + below, losses + above
        means = " | ".join(f"{sum(finals) / len(finals):.4g}" for finals in map(each.final, ("random", *SEARCHES)))
        print(f"| {each.name} | {means} | {below} | {above} |")
    print(f"| all | | | | | {wins} | {losses} |")
    if plot:
        from bench.tuning._plot import draw

        draw([(each.name, each.losses) for each in found], plot)


def _measured(problem: Problem, seeds: int, trials: int) -> Found:
    found = Found(problem.name, {name: [] for name in ("random", *SEARCHES)}, {name: [] for name in SEARCHES})
    found.shares |= {"epochs": [], "seconds": []}
    for seed in range(seeds):
        curves = [problem.curve(point) for point in random_points(problem, trials, seed)]
        found.losses["random"].append(_best_so_far([curve.losses[-1] for curve in curves]))
        target = found.losses["random"][-1][-1]
        for name, search in SEARCHES.items():
            best = _best_so_far(search(problem, trials, seed))
            found.losses[name].append(best)
            found.shares[name].append(
                next((place for place, loss in enumerate(best, 1) if loss <= target), math.inf) / trials
            )
        whole = _hyperband.full(curves)
        spent = _hyperband.until(problem, seed, target, whole.epochs)
        found.shares["epochs"].append(spent.epochs / whole.epochs if spent else math.inf)
        found.shares["seconds"].append(spent.seconds / whole.seconds if spent else math.inf)
    return found


def _best_so_far(losses: Sequence[float]) -> list[float]:
    return [min(losses[: place + 1]) for place in range(len(losses))]


def _medians(shares: dict[str, list[float]]) -> str:
    found = [median(each) for each in shares.values()]
    return " | ".join(f"{share:.2f}" if share < math.inf else "not" for share in found)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:5])
