"""Endless listening: sound that arrives piece by piece, and the coughs in it so far.

One `Listener` handles the sound of one visitor's microphone. Frames arrive in one thread, are processed in a second, and the
results are read by a third. Its memory is constant. Sound is stored only in that memory.
"""

from coughlab.audio.opus import RATE
from coughlab.live.cough_log import Cough
from coughlab.live.listener import Listener

__all__ = ["RATE", "Cough", "Listener"]
