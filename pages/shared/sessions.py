"""Visitors' uploads in memory: their size, and their release."""

import gc

from streamlit.runtime import Runtime, exists


def uploads():
    """Bytes of all visitors' uploads (int); they are freed when the visits end."""
    if not exists():
        return 0
    found = Runtime.instance().uploaded_file_mgr.get_stats()
    return sum(stat.byte_length for stats in found.values() for stat in stats)


def free():
    """End the visits whose page was closed too long ago to be resumed.

    Streamlit does so only when another visit ends, and frees their uploads only at a garbage collection.
    """
    if exists() and (over := Runtime.instance()._session_mgr._session_storage._cache.expire()):
        for _, visit in over:
            visit.session.shutdown()
            # Streamlit itself may keep a reference to a visit until the next one begins.
            visit.session.session_state.clear()
        # A visit and its parts refer to each other; without a collection its data would stay in memory for long.
        gc.collect()
