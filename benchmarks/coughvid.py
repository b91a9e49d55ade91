"""A simulated COUGHVID, and the growth of time and memory of `features` and `audit` with its size.

    python benchmarks/coughvid.py [FOLDER] [--jobs 2]

The recordings are synthetic: each has different coughs at different times, 3 to 10 s, coded with Opus in WebM or OGG. One in
twenty is a changed copy of another, one in three hundred is damaged, one in nine hundred missing. They are the same in every run.
Every size is measured in new processes, with an empty folder for the audit's parts.

It takes hours. FOLDER stores the recordings and the figures, so that a stopped run can be continued; without it they are deleted
at the end. The printed tables and the picture, scale.svg in FOLDER, are those of docs/scale.md.
"""

import argparse
import csv
import json
import os
import tempfile
import uuid
from pathlib import Path
from urllib.parse import unquote

import joblib
import numpy as np
from shared.browser import browser
from shared.changes import CHANGES, encoded
from shared.run import size
from shared.table import Row, show
from shared.usage import measured

from coughlab.audio import synthetic

#: Numbers of recordings that are measured; the last is the size of the published dataset.
SIZES = size((1000, 3000, 9000, 27_550), (10, 20))
RATE, BIT_RATE = 48_000, 32_000
#: Changes in a recording that a person sends twice; it is always coded again.
COPIED = ("first 137 ms off", "noise 20 dB below", "telephone, 300 to 3,400 Hz", "12 dB quieter")
STATUS, SHARES = ("healthy", "symptomatic", "COVID-19"), (0.72, 0.2, 0.08)


def of(number):
    """The properties of a recording before it is made."""
    rng = np.random.default_rng([0, number])
    duration_s = rng.uniform(3, 10)
    return {
        "uuid": str(uuid.UUID(bytes=rng.bytes(16), version=4)),
        "suffix": ".webm" if rng.random() < 0.8 else ".ogg",
        "status": str(rng.choice(STATUS, p=SHARES)),
        "cough_detected": round(rng.uniform(0.8, 1), 4),
        "duration_s": duration_s,
        "onsets_s": np.sort(rng.uniform(0.05, duration_s - 0.5, rng.integers(2, 7))),
        "peak": rng.uniform(0.1, 0.9),
        "noise": 10 ** rng.uniform(-4, -2),
        "source": number - int(rng.integers(1, 20)) if number % 20 == 19 else None,
    }


def samples(number):
    recipe = of(number)
    if recipe["source"] is not None:
        change = CHANGES[COPIED[number // 20 % len(COPIED)]]
        return change(*samples(recipe["source"]))
    options = {name: recipe[name] for name in ("onsets_s", "duration_s", "peak", "noise")}
    # Seeds are far apart, because recordings with neighbouring seeds share the noise of their coughs.
    return synthetic.recording(rate=RATE, seed=10 * number, **options), RATE


def content(number):
    """The bytes of a recording's file; None if it is missing."""
    if number % 900 == 450:
        return None
    y, rate = samples(number)
    container = of(number)["suffix"].removeprefix(".")
    y = y.astype(np.float32)
    data = encoded(y, rate, container, "libopus", BIT_RATE, compression_level="2")
    if number % 300 == 150:
        return (b"", data[:50], np.random.default_rng(number).bytes(20_000))[number // 300 % 3]
    return data


def write(folder, number):
    recipe = of(number)
    path = folder / (recipe["uuid"] + recipe["suffix"])
    if path.exists() or (data := content(number)) is None:
        return
    aside = path.with_suffix(".new")
    aside.write_bytes(data)
    aside.replace(path)


def make_list(folder, n):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "metadata_compiled.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["uuid", "cough_detected", "status"], extrasaction="ignore")
        table.writeheader()
        table.writerows(map(of, range(n)))


def make(folder, n, jobs):
    make_list(folder, n)
    work = (joblib.delayed(write)(folder, number) for number in range(n))
    for done, _ in enumerate(joblib.Parallel(n_jobs=jobs, return_as="generator")(work), start=1):
        if done % 1000 == 0 or done == n:
            print(f"{done:,} of {n:,} made", flush=True)


def part_of(folder, size, place):
    """The first recordings of a simulated COUGHVID as a separate dataset."""
    make_list(place, size)
    for recipe in map(of, range(size)):
        path = folder / (recipe["uuid"] + recipe["suffix"])
        if path.exists():
            os.link(path, place / path.name)


def measure(folder, recordings, jobs):
    file = folder / "figures.json"
    figures = json.loads(file.read_text()) if file.exists() else []
    for number in SIZES:
        for what in ("features", "audit"):
            if any((one["what"], one["size"]) == (what, number) for one in figures):
                continue
            # On the same disk as the recordings, so that hard links are possible.
            with tempfile.TemporaryDirectory(dir=folder) as place:
                part_of(recordings, number, dataset := Path(place, "dataset"))
                one = measured(what, "coughvid", dataset, Path(place, "out"), jobs)
            figures.append({"what": what, "size": number, "jobs": jobs} | one)
            file.write_text(json.dumps(figures, indent=1))
            print(
                f"{what} of {number:,}: {cpu_s(one):,.0f} s of CPU, {one['wall_s']:,.0f} s,"
                f" {one['peak_mb']:,.0f} MB at most, {worker_mb(one):,.0f} MB a worker",
                flush=True,
            )
    return figures


def cpu_s(one):
    """CPU seconds of all processes."""
    return one["cpu_s"] + one["workers_cpu_s"]


def worker_mb(one):
    """The most memory of a worker; there is no worker if all recordings fit one part."""
    return max(one["workers_mb"], default=0)


def compare(figures):
    """The cost per recording in the largest dataset compared to the smallest."""
    for what in ("features", "audit"):
        few, *_, many = (one for one in figures if one["what"] == what)
        ours, yardstick = (1000 * cpu_s(one) / one["size"] for one in (many, few))
        against = f"{few['size']:,} recordings"
        show(Row(f"{what} of {many['size']:,} recordings, CPU", ours, yardstick, "ms each", against=against))


def growth(figures):
    """Lines of the picture: time and memory by number of recordings."""
    sizes = sorted({one["size"] for one in figures})
    by = {(one["what"], one["size"]): one for one in figures}
    features = [by["features", size] for size in sizes]
    audit = [by["audit", size] for size in sizes]
    seconds = {
        "features": [cpu_s(one) for one in features],
        "audit: listening": [
            one["workers_cpu_s"] + one["stages"]["Listening to recordings"]["cpu_s"] for one in audit
        ],
        "audit: copies": [one["stages"]["Looking for copies"]["cpu_s"] for one in audit],
        "audit: shortcuts": [one["stages"]["Looking for shortcuts"]["cpu_s"] for one in audit],
    }
    memory = {
        "features, the process that hands out": [one["peak_mb"] for one in features],
        "features, a worker": [worker_mb(one) for one in features],
        "audit, the process that hands out": [one["peak_mb"] for one in audit],
        "audit, a worker": [worker_mb(one) for one in audit],
    }
    return sizes, seconds, memory


def draw(figures, svg):
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    sizes, *panels = growth(figures)
    chart = make_subplots(cols=2, subplot_titles=("CPU time, all processes (s)", "Most memory (MB)"))
    dashes = ("solid", "dash", "dot", "dashdot")
    colours = (("#0072b2", "#d55e00", "#009e73", "#cc79a7"), ("#0072b2", "#56b4e9", "#d55e00", "#e69f00"))
    for column, lines in enumerate(panels, start=1):
        for (name, values), dash, colour in zip(lines.items(), dashes, colours[column - 1], strict=True):
            line = {"dash": dash, "color": colour}
            legend = "legend" if column == 1 else "legend2"
            points = go.Scatter(x=sizes, y=values, name=name, line=line, mode="lines+markers", legend=legend)
            chart.add_trace(points, 1, column)
    chart.update_xaxes(
        type="log", title="recordings", tickvals=sizes, ticktext=[f"{size:,}" for size in sizes]
    )
    ticks = [step * 10**power for power in range(6) for step in (1, 2, 5)]
    chart.update_yaxes(type="log", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks])
    below = {"orientation": "v", "yanchor": "top", "y": -0.22, "xanchor": "left"}
    chart.update_layout(
        template="plotly_white",
        width=960,
        height=520,
        font={"family": "sans-serif"},
        legend=below | {"x": 0},
        legend2=below | {"x": 0.55},
        margin={"l": 50, "r": 20, "t": 40, "b": 150},
    )
    with browser() as chromium:
        page = chromium.new_page()
        page.set_content(chart.to_html(include_plotlyjs=True))
        script = "Plotly.toImage(document.querySelector('.plotly-graph-div'), {format: 'svg'})"
        address = page.evaluate(script)
    svg.write_text(unquote(address.partition(",")[2]) + "\n")


def markdown(figures):
    """The figures of the picture as tables, and the extrapolation to a million recordings."""
    sizes, seconds, memory = growth(figures)
    for title, lines in (("CPU time, s", seconds), ("most memory, MB", memory)):
        yield from ("", f"| {title} | {' | '.join(f'{size:,}' for size in sizes)} |")
        yield "|---" * (1 + len(sizes)) + "|"
        for name, values in lines.items():
            yield f"| {name} | {' | '.join(map(number, values))} |"
    last = {what: [one for one in figures if one["what"] == what][-1] for what in ("features", "audit")}
    yield ""
    for what, one in last.items():
        yield (
            f"`{what}` of {one['size']:,} took {one['wall_s']:,.0f} s by the clock with `--jobs {one['jobs']}`; its parts take"
            f" {one['out_mb']:,.0f} MB."
        )
    yield from (
        "",
        f"| a million recordings, from the growth between {sizes[-2]:,} and {sizes[-1]:,} | |",
        "|---|---|",
    )
    for name, values in seconds.items():
        yield f"| {name} | {number(grown(sizes, values) * 1e6 / 3600)} CPU hours |"
    for name, values in memory.items():
        if name.endswith("a worker"):
            continue  # it depends on the longest recordings of a chunk; small differences are chance
        gigabytes = (values[-1] + grown(sizes, values) * (1e6 - sizes[-1])) / 1024
        yield f"| memory of {name} | {number(gigabytes)} GB |"
    for what, one in last.items():
        yield f"| parts of {what} | {number(one['out_mb'] / one['size'] * 1e6 / 1024)} GB |"
    yield ""


def grown(sizes, values):
    """The increase per recording."""
    return max(0, values[-1] - values[-2]) / (sizes[-1] - sizes[-2])


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 1 else f"{value:.1f}"


def main(folder, jobs):
    recordings = folder / "recordings"
    make(recordings, SIZES[-1], jobs)
    figures = measure(folder, recordings, jobs)
    print("\n".join(markdown(figures)))
    draw(figures, folder / "scale.svg")
    compare(figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--jobs", type=int, default=size(2, 1))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        main(arguments.folder or Path(aside), arguments.jobs)
