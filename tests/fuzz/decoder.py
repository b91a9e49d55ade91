"""Mutated files for the decoder in a separate process, so that a crash or a hang is detected."""

import gc
import io
import multiprocessing
import os
import re
import resource
import tempfile
import time
from pathlib import Path

#: Limits per file: CPU seconds, and megabytes of memory. The longest recording allowed has 44 MB, and for a
#: moment exists twice.
SECONDS, MEGABYTES = 5.0, 300
_ROOM = 4 * 2**30


def check(seed, first, until, most, report):
    """Decode inputs one by one, up to a time or a number of inputs, and report each.

    Parameters
    ----------
    seed : int
    first : int
        Number of the first input.
    until : float
        End time, by `time.monotonic`.
    most : int
        Maximum number of inputs.
    report : callable
        Called for each with its number, its kind, the outcome (a word), its seconds, its megabytes, and the finding (a sentence,
        or None where all is well).
    """
    number = first
    context = multiprocessing.get_context("spawn")
    while number < first + most and time.monotonic() < until:
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, seed, number, first + most), daemon=True)
        process.start()
        theirs.close()
        try:
            while number < first + most and time.monotonic() < until:
                if not ours.poll(60):
                    report(number, "?", "hang", 60, 0, "It hangs.")
                    break
                answer = ours.recv()
                if isinstance(answer, Exception):
                    raise answer
                report(*answer)
                number += 1
        except EOFError:
            process.join()
            report(number, "?", "crash", 0, 0, f"It ended the process: {process.exitcode}.")
        process.kill()
        process.join()
        number += 1


def _work(connection, seed, number, end):
    from tests.fuzz.inputs import file_of

    # No input may use up the memory of the machine.
    resource.setrlimit(resource.RLIMIT_AS, (_ROOM, _ROOM))
    printed = tempfile.TemporaryFile()  # noqa: SIM115
    os.dup2(printed.fileno(), 1)
    os.dup2(printed.fileno(), 2)
    printed_before = 0
    while number < end:
        try:
            kind, data = file_of(seed, number)
        except Exception as error:  # an error of the fuzzer itself
            connection.send(error)
            raise
        gc.collect(0)
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak memory
        before, start = _memory("VmRSS"), time.process_time()
        outcome, finding = _decoded(kind, data)
        seconds, megabytes = time.process_time() - start, _memory("VmHWM") - before
        size = os.fstat(2).st_size
        if size > printed_before:
            text = os.pread(2, 500, printed_before).decode(errors="replace")
            printed_before, finding = size, finding or f"It prints: {text}"
        if seconds > SECONDS:
            finding = finding or f"It takes {seconds:.1f} s."
        if megabytes > MEGABYTES:
            finding = finding or f"It takes {megabytes:.0f} MB."
        connection.send((number, kind, outcome, seconds, megabytes, finding))
        number += 1


def _memory(name):
    """Memory of this process in megabytes, by the kernel's name for it."""
    return int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def _decoded(kind, data):
    """The outcome as a word, and the finding."""
    from coughlab import audio
    from coughlab.audio import archive

    try:
        if kind == "zip":
            return _unpacked(data)
        recording = audio.load(data)
    except audio.AudioError as error:
        well = error.code in audio.MESSAGES and error.message.endswith(".") and "{" not in error.message
        return error.code, None if well else f"A message that is none: {error.message}"
    except archive.ArchiveError as error:
        return "not unpacked", None if str(error).isprintable() else f"A message that is none: {error}"
    except BaseException as error:
        return "exception", f"It raises {error!r}."
    return "decoded", _wrong(recording)


def _wrong(recording):
    """The finding for a decoded recording with invalid values, or None."""
    import numpy as np

    from coughlab.audio import LIMITS

    if not np.isfinite(recording.samples).all():
        return "It has samples that are not finite."
    if not LIMITS.min_seconds <= recording.duration <= LIMITS.max_seconds + LIMITS.padding_seconds:
        return f"It lasts {recording.duration} s."
    if (
        not LIMITS.min_rate <= recording.rate <= LIMITS.max_rate
        or not recording.channels <= LIMITS.max_channels
    ):
        return f"It has {recording.rate} Hz and {recording.channels} channels."
    return None


def _unpacked(data):
    """Unpack into a subfolder; no files may appear outside it, and inside only files and folders."""
    from coughlab.audio import archive

    with tempfile.TemporaryDirectory() as around:
        folder = Path(around, "unpacked")
        folder.mkdir()
        try:
            archive.unpack(io.BytesIO(data), folder)
        finally:
            strange = [path for path in Path(around).rglob("*") if not (path.is_dir() or path.is_file())]
            strange += [path for path in Path(around).rglob("*") if path.is_symlink()]
            outside = [path for path in Path(around).iterdir() if path != folder]
    return "unpacked", f"It leaves {strange + outside}." if strange or outside else None
