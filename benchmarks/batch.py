"""Many recordings at once: files per second, overhead compared to the answers alone, and memory.

    python benchmarks/batch.py

A hundred recordings of 3 s are answered in four ways: one by one without any other code; as on the page, from uploads and from a
ZIP; and by the command line into a file. Without overhead, all would be as fast as the first.
"""

import io
import tempfile
import time
import zipfile
from pathlib import Path

from shared.process import peak_mb
from shared.run import size
from shared.table import Row, show

from coughlab import audio
from coughlab.audio import synthetic
from coughlab.serving import batch, batch_file, predictors
from coughlab.serving import recordings as intake

N, ROUNDS = size(100, 2), size(3, 1)


NOTHING = "decode and predict, nothing else"


def recordings():
    """Each has coughs at different times, so that no two files are equal."""
    for n in range(N):
        onsets = (0.3 + 0.004 * n, 1.2 + 0.003 * n, 2.1 + 0.002 * n)
        yield (
            f"{n:03}.wav",
            audio.encode_wav(synthetic.recording(onsets_s=onsets, duration_s=3.0), synthetic.RATE),
        )


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return buffer.getvalue()


def plain(files, predictor):
    for data in files.values():
        predictor.predict(audio.load(data))


def uploads(files, predictor):
    taken = intake.take((name, io.BytesIO(data)) for name, data in files.items())
    answers = list(taken.answers(taken.names, predictor))
    taken.close()
    return len(batch.table(answers, predictor.study.task))


def from_zip(packed, predictor):
    taken = intake.take([("all.zip", io.BytesIO(packed))])
    answers = list(taken.answers(taken.names, predictor))
    taken.close()
    return len(batch.table(answers, predictor.study.task))


def command(folder, predictor):
    with tempfile.TemporaryDirectory() as place:
        out, csv = Path(place, "answers.jsonl"), Path(place, "answers.csv")
        batch_file.answer_folder(folder, out, predictor, csv=csv)


def main():
    files = dict(recordings())
    packed = zipped(files)
    predictor = predictors.default()
    predictor.warm_up()
    with tempfile.TemporaryDirectory() as place:
        for name, data in files.items():
            Path(place, name).write_bytes(data)
        ways = {
            NOTHING: lambda: plain(files, predictor),
            "uploads, as on the page": lambda: uploads(files, predictor),
            "a ZIP, as on the page": lambda: from_zip(packed, predictor),
            "coughlab batch, with its CSV": lambda: command(Path(place), predictor),
        }
        plain(files, predictor)
        before, best = peak_mb(), dict.fromkeys(ways, float("inf"))
        # In turns, so that other load on the machine affects all of them equally.
        for _ in range(ROUNDS):
            for way, work in ways.items():
                started = time.process_time()
                work()
                best[way] = min(best[way], time.process_time() - started)
    own = N / best.pop(NOTHING)
    for way, seconds in best.items():
        what = f"many recordings: {way}"
        show(Row(what, N / seconds, own, "a second of CPU", more=True, against=NOTHING))
    total = sum(map(len, files.values())) / 2**20
    print(f"{N} files of {total / N:.2f} MB; most memory {before:.0f} MB before, {peak_mb():.0f} MB after")


if __name__ == "__main__":
    main()
