"""What pages are sent, at the address to which their browser sends it: by whom, how much at once, and for how long."""

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
        assert "Traceback" not in server.said()


@contextlib.contextmanager
def sending(server, size, method="PUT", visit=VISIT, token=TOKEN, name="a"):
    """A connection on which an upload of a file of so many bytes has begun, and the rest of it."""
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
    """Upload until there is room: what had it before may just be leaving."""
    while (found := upload(server, size)) == 503:
        time.sleep(0.1)
    upload(server, 0, method="DELETE")
    return found


def test_only_a_page_that_is_open_uploads(server):
    assert upload(server, 1000) == 204
    assert upload(server, 1000, method="DELETE") == 204
    assert upload(server, 1000, visit=b"another-visit") == 400
    assert upload(server, 1000, token=b"") == 403


def test_uploads_have_the_room_to_themselves_while_they_come(server):
    with sending(server, 60 * MEGABYTE) as (first, rest):
        first.sendall(rest[:MEGABYTE])
        assert upload(server, 60 * MEGABYTE, name="b") == 503
        assert upload(server, 20 * MEGABYTE, name="b") == 204
        first.sendall(rest[MEGABYTE:])
        assert status(first) == 204
    for name in ("a", "b"):
        assert upload(server, 0, method="DELETE", name=name) == 204


def test_what_was_uploaded_keeps_the_room_it_takes_until_it_is_deleted(server):
    assert upload(server, 60 * MEGABYTE) == 204
    assert upload(server, 60 * MEGABYTE, name="b") == 503
    assert upload(server, 0, method="DELETE") == 204
    assert taken(server, 60 * MEGABYTE) == 204


def test_what_is_too_large_is_told_so_and_not_to_come_again(server):
    with sending(server, 60 * MEGABYTE) as (first, rest):
        first.sendall(rest[:MEGABYTE])
        with sending(server, 101 * MEGABYTE, name="b") as (connection, _):
            assert status(connection) == 413
    assert taken(server, 60 * MEGABYTE) == 204


def test_an_upload_that_stalls_is_given_up():
    with Server(COUGHLAB_PAGES_MB="100", COUGHLAB_PAGES_STALL_S="1") as server:
        with sending(server, 60 * MEGABYTE) as (connection, _):
            assert status(connection) == 408
        assert taken(server, 60 * MEGABYTE) == 204


def test_a_visitor_who_leaves_in_the_midst_leaves_the_room_to_others(server):
    with sending(server, 60 * MEGABYTE) as (connection, rest):
        connection.sendall(rest[:MEGABYTE])
        connection.shutdown(socket.SHUT_RDWR)
    assert taken(server, 60 * MEGABYTE) == 204


@pytest.mark.parametrize("address", ["/", "/api/v1/health", "/_stcore/health", "/_stcore/upload_file/a/b"])
def test_a_broken_body_after_a_whole_head_is_refused_and_leaves_no_trace(server, address):
    with server.connect(60) as connection:
        connection.sendall(head("DELETE", address, ("Transfer-Encoding", "chunked")) + b"no chunk\r\n")
        assert status(connection) == 400
