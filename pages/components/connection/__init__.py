"""What happens when a page loses its connection to the server: it says so, and after that it goes on or begins anew.

Streamlit connects again by itself. When the server still has the visit, the page goes on. When it has not (it was restarted, or
the connection was lost for too long), the page would look as before, but most of it would do nothing. So it is loaded again: at
once, or, if it shows something that would then be gone, when the visitor wants it.
"""

from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

HERE = Path(__file__).parent
#: Key of a container whose content would be gone if the page were loaded again.
KEPT = "kept-by-the-visit"

_banner = st.components.v2.component(
    "coughlab_connection",
    html=(HERE / "connection.html").read_text(),
    css=(HERE / "connection.css").read_text(),
    js=(HERE / "connection.js").read_text(),
)


def watch() -> None:
    """Watch this page's connection; on every page, before all else."""
    visit = get_script_run_ctx().session_id
    _banner(data={"visit": visit}, key="connection", height=1, on_resumed_change=lambda: None)


async def _is_open(request: Request) -> JSONResponse:
    """Whether the server has a visit whose page is connected."""
    open_ = Runtime.instance().is_active_session(request.path_params["visit"])
    return JSONResponse({"open": open_}, headers={"Cache-Control": "no-store"})


#: For Starlette: the address that a page asks after it is connected again.
routes = [Route("/visit/{visit}", _is_open)]
