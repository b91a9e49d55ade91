"""Progress of a long task."""

import time

from streamlit.delta_generator import DeltaGenerator

from coughlab.text import duration


class Progress:
    """A progress bar that shows the stage, the share done, and the estimated time left for the stage."""

    def __init__(self, bar: DeltaGenerator):
        self.bar, self.stage = bar, None

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.since, self.first = stage, now, done
        # For a single step a number is not useful.
        text = f"{stage}: {done:,} of {total:,}" if total > 1 else f"{stage} …"
        if done > self.first:
            text += f", {duration((now - self.since) / (done - self.first) * (total - done))} left"
        self.bar.progress(done / total if total else 1.0, text)
