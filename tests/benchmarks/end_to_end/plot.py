"""Draw the plot of docs/benchmarks.md; runs on the peers' Python, which has matplotlib: FOLDER TARGET.

Whole processes from their start to their end, medians.
"""

import json
import statistics
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt

SCENARIOS = {
    "first": "336,776 flights into an empty database",
    "unchanged": "the same again: nothing has changed",
    "latency": "from an API 50 ms away, 8 connections",
}
COLORS = {"assay": "#1f6f54", "dlt": "#c2703d"}


def main() -> None:
    folder, target = map(Path, sys.argv[1:])
    mpl.rcParams.update({"svg.hashsalt": "assay", "font.size": 10, "font.family": "DejaVu Sans"})
    files = {name: folder / f"{name}.json" for name in SCENARIOS}
    shown = {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}
    if not shown:
        sys.exit(f"There are no figures of {', '.join(SCENARIOS)} in {folder}.")
    figure, axes = plt.subplots(len(shown), 1, figsize=(8, 2.1 * len(shown)), sharex=True, squeeze=False)
    for axis, (name, results) in zip(axes[:, 0], shown.items(), strict=True):
        draw(axis, SCENARIOS[name], results["runs"])
    axes[-1, 0].set_xlabel("seconds, whole process")
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})


def draw(axis: "plt.Axes", title: str, runs: list[dict[str, float | str]]) -> None:
    """One scenario, a bar for each contestant that is measured as a whole process."""
    walls: dict[str, list[float]] = {}
    for run in runs:
        if "steady" not in str(run["contestant"]):
            walls.setdefault(str(run["contestant"]), []).append(float(run["wall_s"]))
    names = sorted(walls, key=lambda name: statistics.median(walls[name]), reverse=True)
    medians = [statistics.median(walls[name]) for name in names]
    bars = axis.barh(
        names, medians, color=[COLORS.get(name.split()[0].strip(","), "#8a8f94") for name in names]
    )
    axis.bar_label(bars, [f"{value:.1f} s" for value in medians], padding=3)
    axis.margins(x=0.12)
    axis.set_title(title, loc="left", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
