"""The cough detector: finds the coughs in a recording or a stream, or says what is heard instead.

Its input is 48 mel bands at 16,000 Hz (`frames`). It classifies moments of 40 ms (`detect`) and joins them to coughs (`events`).
"""

from coughlab.detector.detect import Detection, Detector, Heard, Stream, default, stored
from coughlab.detector.events import Event

__all__ = ["Detection", "Detector", "Event", "Heard", "Stream", "default", "stored"]
