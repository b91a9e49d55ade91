"""Request bodies that stall, that are too many at once, that are refused, or whose sender disconnects."""

import contextlib
import json
import socket
import time

import httpx
import pytest

from coughlab.audio import synthetic
from coughlab.web import keys
from tests.servers import serving

PREDICT = "/api/v1/predict"
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
TAIL = b"\r\n--x--\r\n"


@pytest.fixture(scope="module")
def server():
    with serving(STALL_S=1, UPLOADS_MB=32) as server:
        yield server


@contextlib.contextmanager
def sending(server, length):
    """A connection with a started POST of a given size."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(
            f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode()
        )
        yield connection


def answer(connection):
    """Status, headers and JSON of an answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += _more(connection)
    return int(first.split()[1]), headers, json.loads(body)


def _more(connection):
    if not (data := connection.recv(65536)):
        raise EOFError
    return data


def test_a_body_that_stalls_is_aborted_and_its_connection_closed(server):
    with sending(server, 10_000) as connection:
        connection.sendall(HEAD)
        status, headers, body = answer(connection)
        assert (status, body["error"]["code"], headers["connection"]) == (408, "stalled", "close")
        with pytest.raises((EOFError, ConnectionResetError)):
            _more(connection)
    assert httpx.post(server.url + PREDICT, files={"file": synthetic.sample()}).is_success


def test_a_body_that_comes_slowly_is_read(server):
    body = HEAD + synthetic.sample() + TAIL
    with sending(server, len(body)) as connection:
        for at in range(0, len(body), len(body) // 4):
            connection.sendall(body[at : at + len(body) // 4])
            time.sleep(0.4)
        assert answer(connection)[0] == 200


def test_uploads_that_do_not_fit_together_are_refused_until_there_is_room(server):
    large = synthetic.sample() + bytes(18 * 2**20)
    with sending(server, len(HEAD + large + TAIL)) as first:
        first.sendall(HEAD + large)
        # The first upload times out a second later; other uploads are refused only until then.
        for _ in range(200):
            other = httpx.post(server.url + PREDICT, files={"file": large}, timeout=60)
            if other.status_code == 503:
                break
        assert (other.status_code, other.json()["error"]["code"]) == (503, "busy")
        assert int(other.headers["Retry-After"]) >= 1
        assert answer(first)[0] == 408
    assert httpx.post(server.url + PREDICT, files={"file": large}, timeout=60).status_code != 503


def test_an_aborted_upload_frees_its_room(server):
    for _ in range(20):
        with sending(server, 10**7) as connection:
            connection.sendall(HEAD + bytes(2**20))
    assert httpx.post(server.url + PREDICT, files={"file": synthetic.sample()}).is_success
    assert not [line for line in server.log() if line["level"] == "error"]


def test_a_client_that_is_still_sending_gets_the_refusal():
    key, hashed = keys.new()
    with serving(API_KEYS="required", secrets=f'[api_keys]\na = "{hashed}"') as server:
        with sending(server, 10 * 2**20) as connection:
            connection.sendall(bytes(10 * 2**20))
            status, headers, body = answer(connection)
            assert (status, body["error"]["code"]) == (401, "no_key")
            # The connection can be used for the next request.
            connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert answer(connection)[0] == 200
        headers = {"Authorization": f"bearer {key}"}
        assert httpx.post(
            server.url + PREDICT, files={"file": synthetic.sample()}, headers=headers
        ).is_success
