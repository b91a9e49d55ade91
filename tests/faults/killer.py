"""Runs the command line in processes that are killed at a chosen moment.

A moment is the time right before a file system operation ("act"): open for writing, rename, remove, or create a folder.
Or it is a file size: the kernel kills the process that makes a file larger.

``python -m tests.faults.killer`` imports the slow modules, and then forks a process for each order that it reads, so that
hundreds of processes can be killed in a minute.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_ACTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.symlink", "os.truncate"}


class Killer:
    """A process that runs commands and kills them; close it at the end.

    Parameters
    ----------
    start : callable, optional
        Starts a process at the right place, as `tests.faults.disks.Disk.start`; by default here.
    """

    def __init__(self, start=None):
        start = start or (lambda *command, **options: subprocess.Popen(command, cwd=ROOT, **options))
        self._process = start(
            *(sys.executable, "-m", "tests.faults.killer"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, argv, *, below, act=0, size=0, often=True):
        """Run ``coughlab`` with some arguments.

        Parameters
        ----------
        argv : iterable of object
            The arguments; or, with ``"write detector"`` and a folder, only the end of a training of the detector.
        below : path-like
            Only acts on files in this folder are counted.
        act : int
            The process is killed before this act, counted from 1; 0 for never.
        size : int
            The process is killed when a file grows beyond this size; 0 for never.
        often : bool
            Save after every fit and trial instead of every half minute, make parts of five recordings, and start without a
            check of the free space.

        Returns
        -------
        dict
            ``status`` (minus the signal's number if it was killed), ``acts``, a list of words that also contains ``fsync``, which
            is not counted, and ``output``.
        """
        order = {"argv": [*map(str, argv)], "below": str(below), "act": act, "size": size, "often": often}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def main():
    """Read orders, one per line, and answer them."""
    import hyperopt  # noqa: F401

    import coughlab.audit.run
    import coughlab.classifiers.search
    import coughlab.cli.main
    import coughlab.datasets.survey
    import coughlab.detector.training.fitting
    import coughlab.serving.batch_file
    import coughlab.studies.runner  # noqa: F401

    for line in sys.stdin:
        print(json.dumps(_ordered(json.loads(line))), flush=True)


def _ordered(order):
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as acts:
        if (pid := os.fork()) == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for stream in (1, 2):
                os.dup2(output.fileno(), stream)
            _obey(order, acts.fileno())
        _, status = os.waitpid(pid, 0)
        output.seek(0)
        acts.seek(0)
        return {
            "status": os.waitstatus_to_exitcode(status),
            "acts": acts.read().decode().splitlines(),
            "output": output.read().decode(errors="replace"),
        }


def _obey(order, log):
    """Run an order in the forked process; this never returns."""
    from coughlab.cli import main as cli
    from coughlab.datasets import survey
    from coughlab.studies import runner, training
    from coughlab.system import files as whole

    if order["often"]:
        runner.SAVE_EVERY_S = training.SAVE_EVERY_S = 0
        survey.ROWS, whole.PROBE_BYTES = 5, 0
    _watch(order["below"], order["act"], log)
    if order["size"]:
        # Otherwise Python would get an error, as with a full disk.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["size"], order["size"]))
    status = 1
    try:
        if order["argv"][0] == "write detector":
            _write_detector(order["argv"][1])
            status = 0
        else:
            cli.main(order["argv"])
    except SystemExit as error:
        status = error.code or 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _watch(below, last, log):
    done = 0

    def note(event, path):
        os.write(log, f"{event} {path.removeprefix(below)}\n".encode())

    def fsync(descriptor, really=os.fsync):
        really(descriptor)
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        note("fsync", str(Path(f"/proc/self/fd/{number}").readlink()))

    # Python has no audit event for it.
    os.fsync = fsync

    def see(event, about):
        nonlocal done
        if event == "open":
            path, _, flags = about
            if isinstance(path, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                return
        elif event in _ACTS:
            path = about[0]
        else:
            return
        # A name without a path belongs to a folder that is being removed.
        path = os.fsdecode(path)
        if "/" in path and not os.path.abspath(path).startswith(f"{below}"):  # noqa: PTH100
            return
        done += 1
        note(event, path)
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(see)


def _write_detector(folder):
    """The end of a training: the committed detector and its measurements are written again."""
    from coughlab.detector.training import fitting, measures
    from coughlab.studies import store

    committed = store.StoredStudy(store.MODELS / store.DETECTOR)
    files = {name: committed.read(name) for name in committed.hashes if name.startswith("detector.")}
    asked = committed.table(store.PREDICTIONS)
    listed = asked.drop_duplicates("recording").rename(columns={"tested_on": "collection"})
    how = {name: committed.manifest[name] for name in ("seed", "epochs", "scenes", "parameters")}
    fitting.write(Path(folder), files, listed, asked, committed.table(measures.EVENTS), how)


if __name__ == "__main__":
    main()
