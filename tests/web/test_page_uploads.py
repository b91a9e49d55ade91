"""Uploads to pages at their real address: access, the limit of the total size, and timeouts."""

import contextlib
import socket
import time

import pytest

from tests.fuzz.requests import head, multipart, part
from tests.fuzz.server import Server
from tests.fuzz.visit import COOKIE, TOKEN, VISIT

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def server():
    with Server(COUGHLAB_PAGES_MB="100") as server:
        yield server
        assert "Traceback" not in server.log_text()


@contextlib.contextmanager
def sending(server, size, method="PUT", visit=VISIT, token=TOKEN, name="a"):
    """A connection with a started upload of a file of a given size, and the rest of the upload."""
    body = multipart(part('form-data; name="a"; filename="a.zip"', bytes(size)))
    lines = head(
        method,
        f"/_stcore/upload_file/{visit.decode()}/{name}",
        ("Cookie", f"{COOKIE}={TOKEN.decode()}"),
        ("X-Xsrftoken", token.decode()),
        ("Content-Type", "multipart/form-data; boundary=a-boundary"),
        ("Content-Length", len(body)),
    )
    with server.connect(60) as connection:
        connection.sendall(server.visit.own(lines))
        connection.sendall(body[:10_000])
        yield connection, body[10_000:]


def status(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            raise EOFError
        data += more
    return int(data.split()[1])


def upload(server, size, **how):
    with sending(server, size, **how) as (connection, rest):
        connection.sendall(rest)
        return status(connection)


def taken(server, size):
    """Upload until there is room; the previous upload may still be ending."""
    while (found := upload(server, size)) == 503:
        time.sleep(0.1)
    upload(server, 0, method="DELETE")
    return found


def test_uploads_need_an_open_page(server):
    assert upload(server, 1000) == 204
    assert upload(server, 1000, method="DELETE") == 204
    assert upload(server, 1000, visit=b"another-visit") == 400
    assert upload(server, 1000, token=b"") == 403


def test_an_upload_reserves_its_size_while_it_arrives(server):
    with sending(server, 60 * MEGABYTE) as (first, rest):
        first.sendall(rest[:MEGABYTE])
        assert upload(server, 60 * MEGABYTE, name="b") == 503
        assert upload(server, 20 * MEGABYTE, name="b") == 204
        first.sendall(rest[MEGABYTE:])
        assert status(first) == 204
    for name in ("a", "b"):
        assert upload(server, 0, method="DELETE", name=name) == 204


def test_an_uploaded_file_uses_its_room_until_it_is_deleted(server):
    assert upload(server, 60 * MEGABYTE) == 204
    assert upload(server, 60 * MEGABYTE, name="b") == 503
    assert upload(server, 0, method="DELETE") == 204
    assert taken(server, 60 * MEGABYTE) == 204


def test_an_upload_that_is_too_large_is_refused_without_a_retry_time(server):
    with sending(server, 60 * MEGABYTE) as (first, rest):
        first.sendall(rest[:MEGABYTE])
        with sending(server, 101 * MEGABYTE, name="b") as (connection, _):
            assert status(connection) == 413
    assert taken(server, 60 * MEGABYTE) == 204


def test_an_upload_that_stalls_is_aborted():
    with Server(COUGHLAB_PAGES_MB="100", COUGHLAB_PAGES_STALL_S="1") as server:
        with sending(server, 60 * MEGABYTE) as (connection, _):
            assert status(connection) == 408
        assert taken(server, 60 * MEGABYTE) == 204


def test_an_aborted_upload_frees_its_room(server):
    with sending(server, 60 * MEGABYTE) as (connection, rest):
        connection.sendall(rest[:MEGABYTE])
        connection.shutdown(socket.SHUT_RDWR)
    assert taken(server, 60 * MEGABYTE) == 204


@pytest.mark.parametrize("address", ["/", "/api/v1/health", "/_stcore/health", "/_stcore/upload_file/a/b"])
def test_a_broken_body_after_a_complete_header_is_refused_without_a_stack_trace(server, address):
    with server.connect(60) as connection:
        connection.sendall(head("DELETE", address, ("Transfer-Encoding", "chunked")) + b"no chunk\r\n")
        assert status(connection) == 400
