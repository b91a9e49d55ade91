"""The protocols: one module each. A new one is a new module here."""

from coughlab.evaluation.protocols.base import Protocol
from coughlab.system.registry import discover

__all__ = ["EXTERNAL", "PROTOCOLS", "STRICTEST", "WITHIN", "Protocol"]

#: Every protocol by name, from the one that proves least.
PROTOCOLS: dict[str, Protocol] = discover(__name__, Protocol)
#: Those that split the rows of one dataset.
WITHIN = {name: protocol for name, protocol in PROTOCOLS.items() if protocol.split}
#: The protocol of the model that answers: trained on all rows without copies, and tested on another dataset.
(EXTERNAL,) = PROTOCOLS.keys() - WITHIN.keys()
#: Names from the protocol that proves most to the one that proves least.
STRICTEST = tuple(reversed(PROTOCOLS))
