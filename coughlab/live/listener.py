"""Listens to one visitor's microphone for hours: sound in, coughs out."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import soxr

from coughlab import detector
from coughlab.audio import Recording
from coughlab.audio.opus import RATE
from coughlab.detector.events import BESIDE_S, LONGEST_S
from coughlab.live import cough_log
from coughlab.live.picture import Columns
from coughlab.live.sound import Intake, Ring
from coughlab.serving import predictors
from coughlab.serving.predictors import Answer

if TYPE_CHECKING:
    from av import AudioFrame

#: Most sound that waits to be processed; more is dropped, and counted.
BACKLOG_S = 3.0
#: When no sound has arrived for this long, listening pauses until there is more.
IDLE_S = 1.0
#: A cough may be reported only with a later one (see `BESIDE_S`): both may be of the longest kind, and the detector's delay comes
#: on top.
RING_S = BESIDE_S + 2 * LONGEST_S + 2.0
#: A whole recording is processed in pieces of this length.
PIECE_S = 0.5
FAILED = "The sound could not be worked on, and listening has ended. Stop and start again; the coughs so far are kept."
UNANSWERED = "The models could not be asked about the last cough: {error}"

_log = logging.getLogger(__name__)
_epochs = itertools.count(1)


class Listener:
    """Processes one sound in pieces and stores the coughs in it. Thread-safe; no call blocks for long.

    `ask` runs the models on each cough; the default is ``coughlab.serving.predictors.default().ask``. `error` is a message that
    says why listening ended, and `unanswered` one that says why the models gave no answer about the last cough; None if there was
    no problem. `dropped_s` is the number of seconds of sound that were dropped because processing was too slow, `lost_s` the
    number lost on the network. `epoch` changes with each `clear`.
    """

    def __init__(
        self,
        *,
        ask: Callable[[Recording], dict[str, Answer]] | None = None,
        detector: detector.Detector | None = None,
    ):
        self._ask = ask or (lambda recording: predictors.default().ask(recording))
        self._detector = detector
        self._work = threading.RLock()  # held while sound is processed: one piece after another
        self._lock = threading.Condition()  # held briefly, around shared state
        self._queue: deque[tuple[AudioFrame, float]] = deque()
        self._queued_s = self._to_skip_s = 0.0
        self._thread: threading.Thread | None = None
        self._heard_at: float | None = None
        self._reset()

    def _reset(self):
        self.epoch = next(_epochs)
        self.error = self.unanswered = None
        self.dropped_s = self.lost_s = 0.0
        self._ring, self._intake = Ring(RING_S), Intake()
        self._columns, self._coughs = Columns(), cough_log.Log()
        self._stream = self._base = None
        self._pending = deque()

    # Called by the microphone's thread.

    def hear(self, frame: AudioFrame) -> None:
        """Take a frame of sound of any format, layout and rate; another thread processes it."""
        with self._lock:
            self._heard_at = time.monotonic()
            if self.error:
                return
            if self._queued_s > BACKLOG_S:
                self.dropped_s += self._queued_s
                self._to_skip_s += self._queued_s
                self._queue.clear()
                self._queued_s = 0.0
            self._queue.append((frame, time.time()))
            self._queued_s += frame.samples / frame.sample_rate
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
                self._thread.start()
            self._lock.notify()

    def _run(self):
        try:
            while pieces := self._next():
                with self._work:
                    self._take(*pieces)
        except Exception:
            _log.exception("Listening ended")
            with self._lock:
                self.error, self._thread = FAILED, None
                self._queue.clear()
                self._queued_s = self._to_skip_s = 0.0

    def _next(self):
        """The next input: seconds that were dropped, frames, and the arrival time of the last. None if no sound arrives."""
        with self._lock:
            waits = self._lock.wait_for(lambda: self._queue, IDLE_S)
        if not waits:
            with self._work:
                self._finish()
        with self._lock:
            if not self._queue:
                self._thread = None
                return None
            frames, at = [frame for frame, _ in self._queue], self._queue[-1][1]
            dropped_s = self._to_skip_s
            self._queue.clear()
            self._queued_s = self._to_skip_s = 0.0
        return dropped_s, frames, at

    def _take(self, dropped_s, frames, at):
        if dropped_s:
            self._skip(dropped_s)
        late_s = sum(frame.samples / frame.sample_rate for frame in frames)
        for frame in frames:
            missing_s, samples = self._intake.take(frame)
            late_s -= frame.samples / frame.sample_rate
            if missing_s:
                self._skip(missing_s)
                with self._lock:
                    self.lost_s += missing_s
            self._feed(samples, at - late_s)

    # Processing of sound; `_work` is held.

    def _feed(self, samples, at):
        """Process samples at `RATE`; `at` is the time of the last sample, in seconds since 1970."""
        if self._stream is None:
            self._stream, self._base = detector.Stream(RATE, self._detector), self._ring.end
        self._ring.write(samples)
        with self._lock:
            self._columns.push(samples)
        self._note(self._stream.feed(samples), at)
        self._answer()

    def _note(self, events, at):
        for event in events:
            offset = self._base / RATE
            event = replace(
                event, start_s=round(offset + event.start_s, 3), end_s=round(offset + event.end_s, 3)
            )
            with self._lock:
                cough = self._coughs.add(event, at - (self._ring.end / RATE - event.start_s))
            self._pending.append(cough)

    def _answer(self, finished=False):
        """Run the models on the coughs whose sound is complete."""
        while self._pending and (
            finished or (self._pending[0].end_s + predictors.MARGIN_S) * RATE <= self._ring.end
        ):
            cough, answers = self._pending.popleft(), None
            start, end = cough.start_s - predictors.MARGIN_S, cough.end_s + predictors.MARGIN_S
            samples = self._ring.read(round(start * RATE), round(end * RATE))
            try:
                answers = self._ask(Recording(samples, RATE, "live", "pcm_f32", 1, 32))
                unanswered = None
            except Exception as error:  # coughs are found even without the models
                _log.exception("The models could not be asked")
                unanswered = UNANSWERED.format(error=error)
            with self._lock:
                self.unanswered = unanswered
                self._coughs.complete(cough.number, samples, answers)

    def _finish(self):
        """End the present sound."""
        if self._stream is not None:
            self._note(self._stream.finish(), time.time())
            self._answer(finished=True)
        self._stream = None
        self._intake.forget()
        with self._lock:
            self._columns.skip(0)

    def _skip(self, seconds):
        """Continue after missing sound."""
        self._finish()
        n = round(seconds * RATE)
        self._ring.skip(n)
        with self._lock:
            self._columns.skip(n)

    # Called by the page.

    @property
    def channel(self) -> int | None:
        """The only channel that is listened to, from 0; None if it is the mean of all."""
        return self._intake.channel

    def feed(self, samples: np.ndarray, rate: int) -> None:
        """Process a whole recording, mono, full scale 1, and return when it is done."""
        y = samples if rate == RATE else soxr.resample(samples, rate, RATE, quality="soxr_hq")
        began, piece = time.time() - y.size / RATE, round(PIECE_S * RATE)
        with self._work:
            self._finish()
            for start in range(0, y.size, piece):
                end = min(start + piece, y.size)
                self._feed(y[start:end], began + end / RATE)
            self._finish()

    def resume(self) -> None:
        """Listen again after an error; earlier results are kept."""
        with self._lock:
            self.error = self._heard_at = None

    def clear(self) -> None:
        """Delete all results so far, and continue."""
        with self._work, self._lock:
            self._reset()

    @property
    def quiet_s(self) -> float | None:
        """Seconds since the last frame arrived; None if none has arrived since `resume`."""
        with self._lock:
            return None if self._heard_at is None else time.monotonic() - self._heard_at

    @property
    def heard_s(self) -> float:
        """Seconds of sound since listening began."""
        return self._ring.end / RATE

    def level(self) -> tuple[float, float]:
        """Level in decibels relative to full scale, and peak, of the last fifth of a second."""
        with self._lock:
            return self._columns.level()

    def columns(self, n: int) -> tuple[int, bytes]:
        """The newest columns of the picture: number of the first, and bytes (see `coughlab.live.picture`)."""
        with self._lock:
            return self._columns.newest(n)

    def coughs(self, n: int = cough_log.LISTED) -> list[cough_log.Cough]:
        """The newest coughs, oldest first."""
        with self._lock:
            return self._coughs.newest(n)

    @property
    def total(self) -> int:
        """Number of coughs so far, including those no longer listed."""
        return self._coughs.total

    @property
    def oldest_kept(self) -> int | None:
        """Number of the oldest cough whose sound is kept; None if there is none."""
        with self._lock:
            return self._coughs.oldest_kept

    def last_minute(self) -> int:
        """Coughs that ended within the last minute of sound."""
        with self._lock:
            return self._coughs.since(self.heard_s - cough_log.MINUTE)

    def wav(self, number: int) -> bytes | None:
        """The sound of a cough as a WAV file; None if it is not kept."""
        with self._lock:
            return self._coughs.wav(number)

    def csv(self) -> str:
        """The list of coughs as CSV."""
        return cough_log.csv(self.coughs())

    def archive(self) -> bytes:
        """The coughs whose sound is kept as WAV files in a ZIP file, with the list."""
        with self._lock:
            coughs, sounds = self._coughs.copy()
        return cough_log.archive(coughs, sounds)
