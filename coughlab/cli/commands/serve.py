"""Answer programs: the JSON API without the pages.

Serves the addresses below /api/v1, which /api/v1/openapi.json describes, without the pages, by a worker process on each core: it
starts sooner than the app and takes less memory.
"""

import argparse
from pathlib import Path

from coughlab.cli import console
from coughlab.cli.arguments import whole_number

ORDER = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1, this machine)")
    add("--port", type=whole_number(1, 2**16 - 1), default=8502, help="port to listen at (default: 8502)")
    secrets = "where the keys are that programs need, where any is needed (default: .streamlit/secrets.toml)"
    add("--secrets", type=Path, default=Path(".streamlit/secrets.toml"), metavar="FILE.toml", help=secrets)


def run(arguments: argparse.Namespace) -> None:
    import socket

    from coughlab import config
    from coughlab.serving import workers
    from coughlab.web import keys

    host, port = arguments.host, arguments.port
    with console.explained(keys.SecretsError, config.SettingError):
        config.check()
        known = keys.from_secrets(keys.read(arguments.secrets), host)
    # Checked beforehand, because a server that cannot listen prints a stack trace.
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise console.CommandError(
            f"cannot listen at {host}, port {port}: {error.strerror or error}. Choose another --port or --host."
        ) from error
    # The workers load their modules while this process loads its own.
    pool = workers.Pool()
    from coughlab.web import api

    print(f"Answering at http://{host}:{port}/api/v1/predict", flush=True)
    api.serve(host, port, pool, known)
