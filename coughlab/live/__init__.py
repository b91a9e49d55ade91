"""Listening without end: sound that arrives piece by piece, and the coughs in it so far.

One `Listener` holds what one visitor's microphone said. It hears frames in one thread, works on them in another and is read by
a third; its memory does not grow, however long it listens. It never stores sound anywhere but in that memory.
"""

from coughlab.live.cough_log import Cough
from coughlab.live.listener import Listener
from coughlab.live.sound import RATE

__all__ = ["RATE", "Cough", "Listener"]
