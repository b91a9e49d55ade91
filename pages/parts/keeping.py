"""Files that a button makes when it is clicked, kept until the browser has fetched them."""

import threading

from streamlit import runtime
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx


def kept(make, name, mime):
    """What makes a file for ``st.download_button`` on a page with a fragment that runs all the time.

    Streamlit forgets what such a button made at the second run of any fragment, which on the page "Live" is a seventh of a second
    later, and the browser may come too late. Registered as a file of this visitor's, it stays until the next one of that name, or
    until the page runs again or is closed.

    Parameters
    ----------
    make : callable
        Returns the file's content (bytes or str).
    name, mime : str
        As the button has them: they are part of what the file is known by.

    Returns
    -------
    callable
        Returns the content (bytes).
    """
    context = get_script_run_ctx()

    def build():
        data = make()
        data = data.encode() if isinstance(data, str) else data
        # Whose file it is, Streamlit reads from the thread.
        thread = threading.Thread(
            target=runtime.get_instance().media_file_mgr.add,
            args=(data, mime, f"kept {name}", name, True),
        )
        add_script_run_ctx(thread, context)
        thread.start()
        thread.join()
        return data

    return build
