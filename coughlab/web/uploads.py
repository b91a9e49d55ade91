"""The body of a request, read by somebody who trusts nobody: in memory, within limits, and not forever.

Whoever sends is heard to the end, as far as that is not too far: most clients read an answer only once they have sent all.
"""

import contextlib
import sys
import time

from anyio import fail_after
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from coughlab import audio, config

#: What a multipart body may hold beside the file.
OVERHEAD_BYTES = 64 * 1024
#: A body that is not wanted is read and dropped up to here.
DRAIN_BYTES = 100 * 1024 * 1024
#: How long a body may take altogether, in seconds; to a page a whole dataset may be sent.
LONGEST_S, PAGES_LONGEST_S = 300, 600


class UploadError(Exception):
    """A body that is not taken.

    Attributes
    ----------
    status : int
        Of the answer.
    code, message : str
        For programs, and for people.
    """

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def stay_in_memory():
    """See to it that no upload of this process is written to a disk, whoever reads it.

    Starlette's parser would move what is larger than a megabyte to a file; how large a body may be is seen to before it.
    """
    MultiPartParser.spool_max_size = sys.maxsize


class Held:
    """How many bytes of uploads are in memory at once.

    Parameters
    ----------
    most : int
        How many there may be.
    """

    def __init__(self, most):
        self._left = most

    @contextlib.contextmanager
    def one(self):
        """A function for one upload, which is told of each piece and says whether there is room; all is freed at the end."""
        taken = 0

        def take(size):
            nonlocal taken
            if size > self._left:
                return False
            self._left -= size
            taken += size
            return True

        try:
            yield take
        finally:
            self._left += taken


class Body:
    """A request's body, which can be read once.

    Parameters
    ----------
    receive : callable
        Of ASGI.
    stall, longest : float, optional
        Seconds without a byte, and altogether, after which it is given up; those of the API unless given.

    Attributes
    ----------
    ended : bool
        Whether it was read to its end.
    """

    def __init__(self, receive, stall=None, longest=LONGEST_S):
        self._receive, self._stalled, self._size, self.ended = receive, False, 0, False
        self._stall, self._last = stall or config.value("COUGHLAB_STALL_S"), time.monotonic() + longest

    async def receive(self):
        """The next message, as ASGI has it.

        Raises
        ------
        UploadError
            If none comes for too long.
        """
        if self.ended:
            return await self._receive()
        try:
            with fail_after(min(self._stall, self._last - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            self._stalled = True
            raise UploadError(
                408,
                "stalled",
                "The upload stopped before its end. Check the connection and send it again.",
            ) from None
        self.ended = message["type"] == "http.disconnect" or not message.get("more_body")
        return message

    async def chunks(self):
        """The pieces as they come, until there were too many.

        Raises
        ------
        UploadError
            If none comes for too long.
        starlette.requests.ClientDisconnect
            If the client has left.
        """
        while self._size <= DRAIN_BYTES and not (self.ended or self._stalled):
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._size += len(message.get("body", b""))
            yield message.get("body", b"")

    async def drop(self):
        """Read what is left of it, as far as that is not too far."""
        with contextlib.suppress(UploadError):
            async for _ in self.chunks():
                pass

    async def form(self, headers, take):
        """Read a form with a file.

        Parameters
        ----------
        headers : starlette.datastructures.Headers
            Of the request.
        take : callable
            Of `Held.one`.

        Returns
        -------
        data : bytes
            The one file, in field ``file``.
        fields : dict of str to str
            The other fields.

        Raises
        ------
        UploadError
            If it is not such a form, or cannot be taken now.
        coughlab.audio.AudioError
            If it is too large.
        """
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "multipart/form-data":
            message = "Send the recording as multipart/form-data in a field called 'file', as in: curl -F file=@cough.wav"
            raise UploadError(415, "unsupported_media_type", message)
        parser = MultiPartParser(headers, self._wanted(take), max_files=1, max_fields=10)
        try:
            form = await parser.parse()
        except MultiPartException as error:
            message = (
                f"The upload could not be read: {error.message} Send one recording in a field called 'file'."
            )
            raise UploadError(400, "bad_request", message) from error
        try:
            file = form.get("file")
            if file is None or isinstance(file, str):
                message = "The request has no file. Send the recording in a field called 'file'."
                raise UploadError(400, "no_file", message)
            return await file.read(), {name: text for name, text in form.items() if isinstance(text, str)}
        finally:
            await form.close()

    async def _wanted(self, take):
        refused = None
        async for chunk in self.chunks():
            if self._size > audio.LIMITS.max_bytes + OVERHEAD_BYTES:
                refused = audio.error("too_large", limit=audio.LIMITS.max_bytes / 2**20)
            elif refused is None and not take(len(chunk)):
                refused = UploadError(
                    503, "busy", "More recordings come at once than fit here. Try again soon."
                )
            if refused is None:
                yield chunk
        if refused is not None:
            raise refused
