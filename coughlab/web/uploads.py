"""Reads the untrusted body of a request in memory, within limits of size and time.

A refused body is still read to its end, up to `DRAIN_BYTES`: most clients read an answer only after they have sent everything.
"""

import contextlib
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

from anyio import fail_after
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from coughlab import audio, config
from coughlab.text import plain

#: Most bytes of a multipart body in addition to the file.
OVERHEAD_BYTES = 64 * 1024
#: Most bytes of a refused body that are read and dropped.
DRAIN_BYTES = 100 * 1024 * 1024
#: Timeout for a whole body, in seconds; for a page it is longer, because a whole dataset may be uploaded.
LONGEST_S, PAGES_LONGEST_S = 300, 600


class UploadError(Exception):
    """A refused body: the status of the answer, a code for programs, and a message for users."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def stay_in_memory() -> None:
    """Ensure that no upload of this process is written to a disk."""
    # Starlette's parser would move data above a megabyte to a file; the size of a body is checked before it.
    MultiPartParser.spool_max_size = sys.maxsize


class UploadMemory:
    """Limits how many bytes of uploads are in memory at once, to `limit`."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    @contextlib.contextmanager
    def acquire(self) -> Iterator[Callable[[int], bool]]:
        """Yields a function that acquires bytes for one upload if enough are free; all are released at the end."""
        taken = 0

        def take(size: int) -> bool:
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
    """A request's body, which can be read once; ``ended`` says whether it was read to its end.

    It is refused after `stall` seconds without a byte, and after `longest` seconds in all; the defaults are those of the API.
    """

    def __init__(self, receive: Receive, stall: float | None = None, longest: float = LONGEST_S) -> None:
        self._receive, self._stalled, self._size, self.ended = receive, False, 0, False
        self._stall, self._last = stall or config.value("COUGHLAB_STALL_S"), time.monotonic() + longest

    async def receive(self) -> Message:
        """The next ASGI message; UploadError if none arrives before the timeout."""
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

    async def chunks(self) -> AsyncIterator[bytes]:
        """The chunks of the body, up to `DRAIN_BYTES`; ClientDisconnect if the client has disconnected."""
        while self._size <= DRAIN_BYTES and not (self.ended or self._stalled):
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._size += len(message.get("body", b""))
            yield message.get("body", b"")

    async def drop(self) -> None:
        """Read and drop the rest, up to `DRAIN_BYTES`."""
        with contextlib.suppress(UploadError):
            async for _ in self.chunks():
                pass

    async def form(
        self, headers: Headers, take: Callable[[int], bool]
    ) -> tuple[bytes, list[tuple[str, str]]]:
        """Read a form: the single file, in field ``file``, and the other fields. `take` is from `UploadMemory.acquire`.

        UploadError if it is not such a form, or if there is no room now; AudioError if it is too large.
        """
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "multipart/form-data":
            message = "Send the recording as multipart/form-data in a field called 'file', as in: curl -F file=@cough.wav"
            raise UploadError(415, "unsupported_media_type", message)
        parser = MultiPartParser(headers, self._wanted(take), max_files=10, max_fields=10)
        try:
            form = await parser.parse()
        except MultiPartException as error:
            message = (
                f"The upload could not be read: {error.message} Send one recording in a field called 'file'."
            )
            raise UploadError(400, "bad_request", message) from error
        try:
            fields = form.multi_items()
            files = [(name, file) for name, file in fields if not isinstance(file, str)]
            texts = [(name, text) for name, text in fields if isinstance(text, str)]
            names = [name for name, _ in files]
            if "file" not in names:
                message = "The request has no file in a field called 'file'. Send the recording there: curl -F file=@cough.wav"
                raise UploadError(400, "no_file", message)
            names += [name for name, _ in texts if name == "file"]
            if len(names) > 1:
                where = ", ".join(f"'{plain(name)}'" for name in names)
                message = (
                    f"Send one recording, in one field 'file', and no other file. The files are in {where}."
                )
                raise UploadError(400, "bad_request", message)
            return await files[0][1].read(), texts
        finally:
            await form.close()

    async def _wanted(self, take: Callable[[int], bool]) -> AsyncGenerator[bytes, None]:
        refused: Exception | None = None
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
