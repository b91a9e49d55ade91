"""What visitors uploaded and is in memory: how much it is, and its end."""

import gc

from streamlit.runtime import Runtime, exists


def uploads():
    """Bytes of all visitors' uploads (int); they are freed when their visit ends."""
    if not exists():
        return 0
    found = Runtime.instance().uploaded_file_mgr.get_stats()
    return sum(stat.byte_length for stats in found.values() for stat in stats)


def free():
    """End the visits whose page was closed so long ago that nobody can come back to them.

    Streamlit does so only when another visit ends, and frees what they uploaded only when Python comes to collect them as
    garbage.
    """
    if exists() and (over := Runtime.instance()._session_mgr._session_storage._cache.expire()):
        for _, visit in over:
            visit.session.shutdown()
            # Streamlit itself may refer to a visit until the next one begins.
            visit.session.session_state.clear()
        # A visit and its parts know each other; what it was shown would stay until much else had come and gone.
        gc.collect()
