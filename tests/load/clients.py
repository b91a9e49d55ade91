"""Many parallel clients of the API in a separate process; each sends a request, checks the answer, and repeats."""

import multiprocessing
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from coughlab import audio
from coughlab.audio import synthetic

_BOUNDARY = "a-boundary"
#: The timeout after which an answer counts as lost.
LOST_S = 120


@dataclass(frozen=True)
class Outcome:
    """The outcome of one request.

    Attributes
    ----------
    status : int or None
        None where no whole answer came.
    seconds : float
        From the connection to the last byte.
    fault : str or None
        What was wrong with the answer.
    """

    status: int | None
    seconds: float
    fault: str | None = None


def recordings(n=4):
    """Recordings of five seconds each that get different answers."""
    return [
        audio.encode_wav(
            synthetic.recording(onsets_s=(0.3, 1.7 + 0.2 * k, 3.4), duration_s=5.0), synthetic.RATE
        )
        for k in range(n)
    ]


def multipart(data):
    """The body of a request."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="cough.wav"\r\n\r\n'
    return head.encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode()


def ask(port, body):
    """Send one request.

    Returns
    -------
    status : int
    headers : http.client.HTTPMessage
    answer : bytes
    """
    connection = HTTPConnection("localhost", port, timeout=LOST_S)
    try:
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        connection.request("POST", "/api/v1/predict", body, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def _outcome(port, body, expected):
    """The outcome of one request, and the time that its client then has to wait."""
    start = time.monotonic()
    try:
        status, headers, answer = ask(port, body)
    except (OSError, HTTPException) as error:
        return Outcome(None, time.monotonic() - start, repr(error)), 0.1
    seconds, fault, wait = time.monotonic() - start, None, 0.0
    if status == 200:
        fault = None if answer == expected else "It is not the answer that this recording gets alone."
    elif status == 503:
        fault = None if headers.get("Retry-After", "").isdigit() else "It does not say when to ask again."
        wait = float(headers.get("Retry-After", 1))
    else:
        fault = f"It is {answer[:200]}"
    return Outcome(status, seconds, fault), wait


def _run(connection, port, asked, n, seconds):
    outcomes, until = [], time.monotonic() + seconds

    def client(k):
        while time.monotonic() < until:
            outcome, wait = _outcome(port, *asked[k % len(asked)])
            outcomes.append(outcome)
            time.sleep(max(0.0, min(wait, until - time.monotonic())))

    threads = [threading.Thread(target=client, args=(k,)) for k in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection.send(outcomes)


class Clients:
    """Clients that send requests for some time, in the background.

    Parameters
    ----------
    port : int
        Of the app, on this machine.
    asked : list of tuple of bytes
        Bodies and the answers they get alone.
    n : int
        How many clients.
    seconds : float
        For how long.
    """

    def __init__(self, port, asked, n, seconds):
        context = multiprocessing.get_context("spawn")
        self._outcomes, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(theirs, port, asked, n, seconds), daemon=True)
        self._process.start()
        theirs.close()

    def running(self):
        """Whether the clients are still running."""
        return not self._outcomes.poll()

    def outcomes(self):
        """Wait until all clients have their last answer.

        Returns
        -------
        list of Outcome
        """
        outcomes = self._outcomes.recv()
        self._process.join()
        return outcomes
