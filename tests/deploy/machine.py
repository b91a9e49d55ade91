"""A fresh Debian or Ubuntu machine: a tree made by debootstrap, with its own systemd as process 1, network and firewall.

It reaches the registries in the same way as the test machine, whose settings of apt and pip are copied into the tree. Its
systemd is in a separate control group, so that it counts, limits and ends only its own processes.
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
#: The packages of a cloud image; cloud-init installs the others.
PACKAGES = "systemd-sysv dbus iproute2 netbase ca-certificates"
PROGRAMS = ("debootstrap", "systemd-nspawn", "slirp4netns", "ip", "nsenter")
MEMORY_MB = 6144
SCRIPTS = Path("/usr/share/debootstrap/scripts")
#: The trusted certificates of this machine.
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
        Its address from outside.
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
    """Make a fresh tree with the settings to reach the registries from here; `cache` keeps the downloads."""
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
    if UBUNTU:  # Debian may lack its keys; one debootstrap script serves all its releases
        _do("debootstrap", "--no-check-gpg", *options, SUITE, tree, _mirror(), SCRIPTS / "gutsy")
    else:
        _do("debootstrap", *options, SUITE, tree, _mirror())
    # Debian's own packages, from the mirror of this machine.
    for file in Path("/etc/apt/apt.conf.d").iterdir():
        shutil.copy(file, tree / file.relative_to("/"))
    (tree / "etc/apt/sources.list").write_text(
        f"deb {_mirror()} {SUITE} {COMPONENTS}\ndeb {_mirror()} {SUITE}-updates {COMPONENTS}\n"
    )
    _registries(tree)
    (tree / "etc/resolv.conf").unlink(missing_ok=True)
    shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
    (tree / "etc/hostname").write_text("coughlab\n")
    # Settings of a cloud image.
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
    """Give pip in a tree the package indexes of this machine."""
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
    """Give the machine its user data for the first start, as a cloud does."""
    seed = tree / "var/lib/cloud/seed/nocloud"
    seed.mkdir(parents=True)
    (seed / "user-data").write_text(text)
    (seed / "meta-data").write_text("instance-id: coughlab-1\nlocal-hostname: coughlab\n")
    (seed / "network-config").write_text("network: {config: disabled}\n")


@contextlib.contextmanager
def running(tree, *, binds):
    """Start the machine (Machine); `binds` are options of systemd-nspawn that mount folders of this machine."""
    with (
        cage("coughlab-deploy") as own,
        _network() as namespace,
        (tree.parent / "console").open("wb") as console,
    ):
        own.limit(MEMORY_MB)
        nspawn = subprocess.Popen(
            [
                # If the tests are killed, the machine is killed as well.
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
    """A separate network: outgoing through this machine, incoming by one address that only this machine reaches."""
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
