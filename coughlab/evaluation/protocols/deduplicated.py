"""Random rows after copies are removed."""

from coughlab.evaluation import splits
from coughlab.evaluation.protocols.base import Protocol

DEDUPLICATED = Protocol(
    name="deduplicated",
    order=20,
    title="Without copies",
    explained="Every recording counts once, so that no model is tested on what it was trained on.",
    description="as published, but each recording once: of identical or nearly identical audio one row is kept, and none where"
    " copies have contradictory labels",
    caption="random 70/30 splits without copies",
    choice="Without copies",
    column="without copies",
    opening="When every recording counts once",
    marker=("square", "#56b4e9"),
    split=splits.deduplicated,
)
