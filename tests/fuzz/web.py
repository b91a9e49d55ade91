"""Hostile requests to the real app, several in parallel, and checks of the answers."""

import contextlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse

from tests.fuzz.requests import request_of

#: The longest that an answer may take after the last byte was sent.
SECONDS = 5.0
#: The number of parallel requests.
CLIENTS = 4
#: The answer of the server below the app to bytes that it cannot parse; the app does not see these.
NO_HTTP = b"Invalid HTTP request received."
_TRACE = re.compile(r"Traceback|site-packages|File \"|\.py\", line")


@dataclass
class Answer:
    """The answer; without an answer, `status` is None and `how` is the way the connection ended."""

    status: int | None
    seconds: float
    how: str = ""
    headers: dict = field(default_factory=dict)
    body: bytes = b""


def exchange(server, request, timeout=2 * SECONDS):
    """Send a request and wait for its answer.

    Parameters
    ----------
    server : tests.fuzz.server.Server
    request : tests.fuzz.requests.Request
    timeout : float
        Seconds to wait for.

    Returns
    -------
    Answer
    """
    with server.connect(timeout) as connection:
        # A server may refuse and close before it has read everything; its answer can still be read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for number, piece in enumerate(request.pieces):
                time.sleep(request.pause if number else 0)
                connection.sendall(server.visit.own(piece))
            if request.ends or not _complete(request):
                connection.shutdown(1)
        sent = time.monotonic()
        try:
            response = HTTPResponse(connection, method=request.pieces[0].split(b" ", 1)[0].decode("latin-1"))
            response.begin()
            body = b"" if response.status == 101 else response.read()
        except TimeoutError:
            return Answer(None, time.monotonic() - sent, "no answer")
        except (OSError, HTTPException) as error:
            return Answer(None, time.monotonic() - sent, type(error).__name__)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, time.monotonic() - sent, "", headers, body)


def _complete(request):
    """Whether the header is complete; a server may wait for it for any time."""
    return bool(re.search(rb"\n\r?\n", b"".join(request.pieces).lstrip(b"\r\n")))


def outcome(answer):
    """A word for an answer: its status, and its code where it is an error."""
    if answer.status is None:
        return answer.how
    with contextlib.suppress(ValueError, LookupError, TypeError):
        return f"{answer.status} {json.loads(answer.body)['error']['code']}"
    return f"{answer.status} no HTTP" if answer.body == NO_HTTP else str(answer.status)


def wrong(request, answer):
    """What is wrong with an answer: a sentence, or None."""
    target = request.pieces[0].split(b" ", 2)[1:2]
    # An address with ".." or control characters is refused before it reaches the API.
    of_api = bool(target) and target[0].startswith(b"/api") and not re.search(rb"\.\.|%2e|%0|%5c", target[0])
    if answer.how == "no answer" and b"Upgrade: websocket" in request.pieces[0]:
        return None  # after an invalid WebSocket request uvicorn waits until the client closes
    if answer.seconds > SECONDS:
        return f"It takes {answer.seconds:.1f} s ({outcome(answer)})."
    if answer.status is None:
        return f"No answer: {answer.how}." if request.whole else None
    if answer.status >= 500:
        return f"It is answered {answer.status}: {answer.body[:300]}"
    if (
        _TRACE.search(answer.body.decode("latin-1"))
        and answer.headers.get("content-type") != "text/javascript"
    ):
        return f"It shows how it is made: {answer.body[:300]}"
    if "x-injected" in answer.headers:
        return "A header was injected."
    if answer.body == NO_HTTP or _unheard(answer):
        return "A whole request is not understood." if request.whole else None
    if "x-content-type-options" not in answer.headers:
        return f"Its kind may be guessed: {answer.headers}"
    if of_api and answer.status >= 400 and answer.body:
        return _wrong_error(answer)
    return None


def _unheard(answer):
    """Whether it is `NO_HTTP` as the answer to a HEAD, which has no body."""
    return answer.status == 400 and not answer.body and "x-request-id" not in answer.headers


def _wrong_error(answer):
    try:
        error = json.loads(answer.body)
        (code, message) = (error["error"][name] for name in ("code", "message"))
    except (ValueError, LookupError, TypeError):
        return f"Its error is no JSON: {answer.body[:300]}"
    if set(error) != {"error"} or not re.fullmatch("[a-z_]+", code) or not message.isprintable():
        return f"Its error is not as all others: {answer.body[:300]}"
    return None if "x-request-id" in answer.headers else "It has no X-Request-ID."


def check(server, seed, first, until, most, report):
    """Send requests by their numbers until a time or a number of them; as `tests.fuzz.decoder.check`.

    Returns
    -------
    list of tuple
        How many were answered so far, and the megabytes of the app and of its workers at that time.
    """
    lock, numbers, memory = threading.Lock(), iter(range(first, first + most)), []
    done, log_read = 0, len(server.log_text())

    def client():
        nonlocal done, log_read
        while time.monotonic() < until:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            request = request_of(seed, number)
            answer = exchange(server, request)
            finding = wrong(request, answer)
            with lock:
                if finding and answer.seconds > SECONDS:  # other work may have slowed the machine down
                    answer = exchange(server, request)
                    finding = wrong(request, answer)
                text = server.log_text(log_read)
                log_read += len(text.encode())
                if "Traceback" in text:
                    finding = f"{finding or ''} It, or one beside it, leaves in the log: {text[-1500:]}"
                if done % 50 == 0:
                    memory.append((done, *server.memory()))
                done += 1
                report(
                    number, request.kind, outcome(answer), answer.seconds if answer.status else 0, 0, finding
                )

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return memory
