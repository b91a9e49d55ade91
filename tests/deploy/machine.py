"""A fresh Debian or Ubuntu machine: a tree made by debootstrap, its own systemd as process 1, its own network and firewall.

It reaches the registries as the machine that runs the tests does, whose settings of apt and pip are copied into the tree. Its
systemd is in a control group of its own, so that it counts, limits and ends its own processes and no others.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.conftest import missing
from tests.deploy.cage import cage

#: The release of Debian, or of Ubuntu.
SUITE = os.environ.get("SUITE") or "bookworm"
UBUNTU = SUITE in ("jammy", "noble", "resolute")
COMPONENTS = "main universe" if UBUNTU else "main"
#: What makes the tree a cloud image; the rest is for cloud-init to install.
PACKAGES = "systemd-sysv dbus iproute2 netbase ca-certificates"
PROGRAMS = ("debootstrap", "systemd-nspawn", "slirp4netns", "ip", "nsenter")
MEMORY_MB = 6144
SCRIPTS = Path("/usr/share/debootstrap/scripts")
#: Whom this machine trusts.
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

NETWORK = "coughlab-deploy"
OUTSIDE, INSIDE = "10.213.77.1", "10.213.77.2"


class Machine:
    """A running machine.

    Attributes
    ----------
    tree : pathlib.Path
        Its root folder.
    address : str
        Where it is reached from outside.
    """

    address = INSIDE

    def __init__(self, tree, process_1, cage):
        self.tree = tree
        self._process_1, self._cage = process_1, cage

    def run(self, *command, check=True, **options):
        """Run a command on it (subprocess.CompletedProcess)."""
        done = subprocess.run(
            self.inside(*command), capture_output=True, text=True, preexec_fn=self._cage.enter, **options
        )
        if check and done.returncode:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def inside(self, *command):
        """The command line that runs a command on it (list of str)."""
        environment = (
            "env",
            "-i",
            "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            "HOME=/root",
        )
        return [
            "nsenter", "--target", str(self._process_1), "--all", "--root", "--wd", *environment, *command,
        ]  # fmt: skip


def fresh(tree, *, cache):
    """Make a fresh tree, and give it what it needs to reach the registries from here; `cache` keeps what was fetched."""
    for program in PROGRAMS:
        if not shutil.which(program):
            missing("debootstrap, systemd-container, slirp4netns and iproute2 of Debian")
    if os.geteuid():
        missing("root, for a machine of its own")
    cache.mkdir(parents=True, exist_ok=True)
    options = [
        "--variant=minbase",
        f"--include={PACKAGES.replace(' ', ',')}",
        f"--components={COMPONENTS.replace(' ', ',')}",
        f"--cache-dir={cache}",
    ]
    if UBUNTU:  # Debian need not have its keys; one script of debootstrap is for all its releases
        _do("debootstrap", "--no-check-gpg", *options, SUITE, tree, _mirror(), SCRIPTS / "gutsy")
    else:
        _do("debootstrap", *options, SUITE, tree, _mirror())
    # Debian's own packages, from where this machine has them.
    for file in Path("/etc/apt/apt.conf.d").iterdir():
        shutil.copy(file, tree / file.relative_to("/"))
    (tree / "etc/apt/sources.list").write_text(
        f"deb {_mirror()} {SUITE} {COMPONENTS}\ndeb {_mirror()} {SUITE}-updates {COMPONENTS}\n"
    )
    _registries(tree)
    (tree / "etc/resolv.conf").unlink(missing_ok=True)
    shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
    (tree / "etc/hostname").write_text("coughlab\n")
    # What a cloud's image has.
    (tree / "etc/default/locale").write_text("LANG=C.UTF-8\n")
    for command in (
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends cloud-init ifupdown lsb-release openssh-server sudo",
        "apt-get clean",
    ):
        _do("chroot", tree, "env", "DEBIAN_FRONTEND=noninteractive", *command.split())


def base(tree):
    """Make a tree that is like the image "python:3.11-slim-bookworm"."""
    options = ("--variant=minbase", "--include=ca-certificates,python3,python3-venv")
    _do("debootstrap", *options, "bookworm", tree, _mirror())
    (tree / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    _registries(tree)


def _registries(tree):
    """Have pip in a tree ask those whom it asks here."""
    shutil.copy(CERTIFICATES, tree / "etc/ssl/registries.crt")
    index = os.environ.get("PIP_INDEX_URL")
    lines = [
        "[global]",
        "timeout = 60",
        "cert = /etc/ssl/registries.crt",
        *([f"index-url = {index}"] if index else []),
    ]
    (tree / "etc/pip.conf").write_text("\n".join([*lines, ""]))


def user_data(tree, text):
    """Give the machine its user data, as a cloud does, for its first start."""
    seed = tree / "var/lib/cloud/seed/nocloud"
    seed.mkdir(parents=True)
    (seed / "user-data").write_text(text)
    (seed / "meta-data").write_text("instance-id: coughlab-1\nlocal-hostname: coughlab\n")
    (seed / "network-config").write_text("network: {config: disabled}\n")


@contextlib.contextmanager
def running(tree, *, binds):
    """Start the machine (Machine); `binds` are options of systemd-nspawn for folders of this machine that it sees."""
    with (
        cage("coughlab-deploy") as own,
        _network() as namespace,
        (tree.parent / "console").open("wb") as console,
    ):
        own.limit(MEMORY_MB)
        nspawn = subprocess.Popen(
            [
                # Should the tests be killed, so is the machine.
                "setpriv", "--pdeathsig=KILL",
                "systemd-nspawn", "--quiet", "--keep-unit", "--register=no", "--boot", "--console=pipe",
                f"--directory={tree}", f"--network-namespace-path={namespace}", "--capability=CAP_NET_ADMIN",
                "--resolv-conf=off", "--timezone=off", "--link-journal=no", *binds,
            ],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
            preexec_fn=own.enter,
        )  # fmt: skip
        try:
            yield Machine(tree, _first_child(nspawn), own)
        finally:
            # The signal that asks it to halt.
            with contextlib.suppress(ProcessLookupError):
                os.kill(nspawn.pid, signal.SIGTERM)
            try:
                nspawn.wait(timeout=120)
            except subprocess.TimeoutExpired:
                os.killpg(nspawn.pid, signal.SIGKILL)
                nspawn.wait()
            shutil.rmtree(Path("/run/systemd/nspawn/propagate", tree.name), ignore_errors=True)


@contextlib.contextmanager
def _network():
    """A network of its own: out through this machine's, in by one address that this machine alone reaches."""
    namespace = Path("/run/netns", NETWORK)
    _remove_network()
    _do("ip", "netns", "add", NETWORK)
    _do("ip", "link", "add", "coughlab0", "type", "veth", "peer", "name", "eth0", "netns", NETWORK)
    _do("ip", "addr", "add", f"{OUTSIDE}/30", "dev", "coughlab0")
    _do("ip", "link", "set", "coughlab0", "up")
    for command in (f"addr add {INSIDE}/30 dev eth0", "link set eth0 up", "link set lo up"):
        _do("ip", "-n", NETWORK, *command.split())
    out = subprocess.Popen(
        ["slirp4netns", "--configure", "--mtu=65520", "--netns-type=path", namespace, "tap0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while b"tap0" not in _do("ip", "-n", NETWORK, "route"):
            assert out.poll() is None, "slirp4netns ended"
            time.sleep(0.1)
        yield namespace
    finally:
        out.terminate()
        out.wait()
        _remove_network()


def _remove_network():
    for command in (("ip", "netns", "del", NETWORK), ("ip", "link", "del", "coughlab0")):
        subprocess.run(command, stderr=subprocess.DEVNULL)


def _first_child(process):
    while process.poll() is None:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:
            with contextlib.suppress(FileNotFoundError):
                if re.search(r"^NSpid:.*\b1$", Path(f"/proc/{child}/status").read_text(), re.MULTILINE):
                    return int(child)
        time.sleep(0.1)
    raise AssertionError(f"systemd-nspawn ended with {process.returncode}")


def _mirror():
    if UBUNTU:
        return "http://archive.ubuntu.com/ubuntu"
    for file in sorted(Path("/etc/apt").glob("sources.list*/*.sources")):
        for line in file.read_text().splitlines():
            if line.startswith("URIs:") and "security" not in line:
                return line.split()[1]
    return "http://deb.debian.org/debian"


def _do(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True)
    if done.returncode:
        raise AssertionError(
            f"{command} ended with {done.returncode}:\n{done.stdout.decode()}\n{done.stderr.decode()}"
        )
    return done.stdout
