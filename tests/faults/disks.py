"""Small disks that can be really full and really read-only, visible only to the processes that are started on them."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.conftest import missing

#: The file that fills a disk.
BALLAST = ".ballast"
ROOT = Path(__file__).parent.parent.parent


class Disk:
    """A file system in memory, mounted in a separate name space; made by `mounted`.

    Attributes
    ----------
    path : pathlib.Path
        Its path for the processes that `run` starts.
    seen : pathlib.Path
        Its path for the test.
    """

    def __init__(self, path, holder, enter):
        self.path, self._enter = path, enter
        self.seen = Path(f"/proc/{holder.pid}/root{path}")

    def run(self, *command, **options):
        """Run a command that sees the disk: a subprocess.CompletedProcess with its output as text."""
        options = {"capture_output": True, "text": True} | options
        return subprocess.run([*self._enter, *map(str, command)], **options)

    def start(self, *command, **options):
        """Start a process that sees the disk (subprocess.Popen)."""
        return subprocess.Popen([*self._enter, *map(str, command)], **options)

    def fill(self, *, leave=0):
        """Fill the disk except for a number of bytes, in whole pages."""
        with contextlib.suppress(OSError), (self.seen / BALLAST).open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        if leave:
            os.truncate(self.seen / BALLAST, (self.seen / BALLAST).stat().st_size - leave // 4096 * 4096)

    def empty(self):
        """Free the space again."""
        (self.seen / BALLAST).unlink()

    def read_only(self, yes=True):
        """Make the disk read-only, or writable again."""
        mode = "ro" if yes else "rw"
        self.run("mount", "-o", f"remount,{mode}", self.path).check_returncode()


@contextlib.contextmanager
def mounted(path, size="8m"):
    """A disk of a given size in an empty folder."""
    path.mkdir(parents=True, exist_ok=True)
    unshare, nsenter = shutil.which("unshare"), shutil.which("nsenter")
    if not (unshare and nsenter):
        missing("disks of its own: install util-linux")
    root = os.geteuid() == 0
    # It runs until this process closes its input.
    holder = subprocess.Popen(
        [
            *(unshare, *([] if root else ["--user", "--map-root-user"]), "--mount", "sh", "-c"),
            f"mount -t tmpfs -o size={size} tmpfs '{path}' && echo mounted && read line",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        if holder.stdout.readline().strip() != "mounted":
            missing("disks of its own: run as root, or where name spaces of users are allowed")
        user = [] if root else ["--user", "--preserve-credentials"]
        yield Disk(
            path,
            holder,
            [nsenter, "--target", str(holder.pid), "--mount", *user, "--", "env", "-C", str(ROOT)],
        )
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
