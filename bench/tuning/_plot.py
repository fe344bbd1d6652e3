"""A drawing of how fast the searches get better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

INK = "#7d8590"
"""Is read on white and on black."""
COLOURS = {"random": INK, "plain Optuna": "#d9822b", "Clary": "#2f81f7", "Clary, 4 at once": "#2da44e"}


def draw(problems: Sequence[tuple[str, Mapping[str, Sequence[Sequence[float]]]]], path: str) -> None:
    """One panel a problem: by name, and by search the best loss after each trial for each seed. Written as SVG with no
    background: the median of the seeds, as the share that is left of the way from random search's first trials to the
    best that any search found."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "clary"  # the same figures give the same file
    from matplotlib import pyplot

    columns = min(4, len(problems))
    lines = -(-len(problems) // columns)
    figure, axes = pyplot.subplots(lines, columns, figsize=(3 * columns, 2.4 * lines), sharey=True, squeeze=False)
    for axis in axes.flat[len(problems) :]:
        axis.set_visible(False)
    for (name, searches), axis in zip(problems, axes.flat, strict=False):
        least = min(loss for runs in searches.values() for run in runs for loss in run)
        most = median(run[2] for run in searches["random"])
        for search, runs in searches.items():
            middle = [median(run[place] for run in runs) for place in range(len(runs[0]))]
            left = [max((loss - least) / (most - least), 1e-3) for loss in middle]
            axis.plot(range(1, len(left) + 1), left, color=COLOURS[search], label=search, linewidth=1.6)
        axis.set_yscale("log")
        axis.set_ylim(0.02, 1.5)
        axis.set_title(name, color=INK, fontsize=9)
        axis.tick_params(colors=INK, which="both", labelsize=8)
        axis.set_facecolor("none")
        for edge in axis.spines.values():
            edge.set_color(INK)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.supxlabel("trials", color=INK, fontsize=9)
    figure.supylabel("left to the best", color=INK, fontsize=9)
    figure.legend(handles, labels, loc="lower right", frameon=False, labelcolor=INK, fontsize=9)
    figure.tight_layout()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, transparent=True, metadata={"Date": None})
