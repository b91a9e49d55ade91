"""The protocols, one module each. To add one, add a module here."""

from coughlab.evaluation.protocols.base import Protocol
from coughlab.system.registry import discover

__all__ = ["EXTERNAL", "PROTOCOLS", "STRICTEST", "WITHIN", "Protocol"]

#: Every protocol by name, the one that proves least first.
PROTOCOLS: dict[str, Protocol] = discover(__name__, Protocol)
#: Protocols that split the rows of one dataset.
WITHIN = {name: protocol for name, protocol in PROTOCOLS.items() if protocol.split}
#: The protocol of the saved model: trained on all rows without copies, and tested on another dataset.
EXTERNAL = "external"
#: Names from the protocol that proves most to the one that proves least.
STRICTEST = tuple(reversed(PROTOCOLS))
