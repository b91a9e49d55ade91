"""A model that knows a cough when it hears one: where the coughs are in a recording or a stream, or what is heard instead.

It hears 48 mel bands at 16,000 Hz (`frames`), says every 40 ms what that moment is (`detect`), and joins the moments to coughs
(`events`).
"""

from coughlab.detector.detect import Detection, Detector, Heard, Stream, default, stored
from coughlab.detector.events import Event

__all__ = ["Detection", "Detector", "Event", "Heard", "Stream", "default", "stored"]
