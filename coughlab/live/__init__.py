"""Listening without end: sound that arrives piece by piece, and the coughs in it so far.

One `Listener` holds the sound of one visitor's microphone. Frames come in one thread, are worked on in another and the results
are read by a third; its memory does not grow, however long it listens. Sound is stored nowhere but in that memory.
"""

from coughlab.audio.opus import RATE
from coughlab.live.cough_log import Cough
from coughlab.live.listener import Listener

__all__ = ["RATE", "Cough", "Listener"]
