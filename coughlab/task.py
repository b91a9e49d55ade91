"""The question about a recording: the condition, the two classes, and the prevalence."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Task:
    """A binary classification of recordings."""

    #: Label of the positive class.
    positive: str
    #: Name of that class in sentences, such as "tuberculosis".
    condition: str
    #: Label of the negative class, to which all other labels of a dataset belong; "not_" and the positive label by default.
    negative: str = ""
    #: Default probability of the condition before an answer: an example, not an estimate for any place.
    prevalence: float = 0.05

    def __post_init__(self):
        if not self.negative:
            object.__setattr__(self, "negative", f"not_{self.positive}")

    @property
    def labels(self) -> tuple[str, str]:
        """The negative and the positive label; the index of a label is the number of its class."""
        return self.negative, self.positive

    def label(self, positive: bool) -> str:
        """The label of one of the classes."""
        return self.labels[bool(positive)]

    def is_positive(self, labels: Iterable[str]) -> np.ndarray:
        """Whether each label is that of the positive class: bool, shape (n,)."""
        return np.array([label == self.positive for label in labels], dtype=bool)

    def title(self, label: object) -> str:
        """Title of a label: the condition, "not" and the condition, or a dataset's label unchanged."""
        return {self.positive: self.condition, self.negative: f"not {self.condition}"}.get(
            str(label), str(label)
        )

    def say(self, text: str) -> str:
        """Replace ``{condition}`` in a sentence by the condition."""
        return text.replace("{condition}", self.condition)
