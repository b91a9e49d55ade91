"""A visit as a browser's page makes it; without a visit, uploads to pages are refused."""

import contextlib
import threading
from http.client import HTTPConnection

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

#: Placeholders in a request for the number of the visit and for the token that a page sends with an upload.
VISIT, TOKEN = b"the-visit", b"the-token"
COOKIE = "_streamlit_xsrf"


class Visit:
    """A page that is open.

    Parameters
    ----------
    port : int
        Of the app, on this machine.
    address : str
        The page's, without a slash in front.
    """

    def __init__(self, port, address=""):
        connection = HTTPConnection("localhost", port, timeout=30)
        connection.request("GET", "/_stcore/health")
        response = connection.getresponse()
        response.read()
        cookies = dict(
            part.split("=", 1) for part in response.headers["Set-Cookie"].split("; ") if "=" in part
        )
        self._token = cookies[COOKIE].encode()
        self._left = contextlib.ExitStack()
        self._socket = self._left.enter_context(
            connect(f"ws://localhost:{port}/_stcore/stream", subprotocols=["streamlit"], max_size=None)
        )
        asked = BackMsg()
        asked.rerun_script.page_name = address
        self._socket.send(asked.SerializeToString())
        self._number = b""
        while not self._number:
            message = ForwardMsg.FromString(self._socket.recv(timeout=60))
            self._number = message.new_session.initialize.session_id.encode()
        # The messages to the page have to be read, or the server treats the connection as lost.
        threading.Thread(target=self._read_messages, daemon=True).start()

    def _read_messages(self):
        with contextlib.suppress(ConnectionClosed):
            while True:
                self._socket.recv()

    def own(self, piece):
        """A piece of a request with the values of this visit."""
        return piece.replace(VISIT, self._number).replace(TOKEN, self._token)

    def close(self):
        """Leave the page."""
        self._left.close()
