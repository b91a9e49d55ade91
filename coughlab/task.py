"""What is to be found in a recording: the condition, the two classes, and how common the condition is."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Task:
    """A question with two answers about a recording."""

    #: Label of the class to be found.
    positive: str
    #: What that class is called in sentences, such as "tuberculosis".
    condition: str
    #: Label of the other class, to which every other label of a dataset counts; "not_" and the positive label unless set.
    negative: str = ""
    #: Probability of the condition before an answer, unless another is set: an example, not an estimate for any place.
    prevalence: float = 0.05

    def __post_init__(self):
        if not self.negative:
            object.__setattr__(self, "negative", f"not_{self.positive}")

    @property
    def labels(self) -> tuple[str, str]:
        """The negative and the positive label: the index of a label is the number of its class."""
        return self.negative, self.positive

    def label(self, positive: bool) -> str:
        """The label of one of the classes."""
        return self.labels[bool(positive)]

    def is_positive(self, labels: Iterable[str]) -> np.ndarray:
        """Whether each label is that of the class to be found: bool, shape (n,)."""
        return np.array([label == self.positive for label in labels], dtype=bool)

    def title(self, label: object) -> str:
        """A label as people read it: the condition, "not" and the condition, or the label of a dataset as it is."""
        return {self.positive: self.condition, self.negative: f"not {self.condition}"}.get(
            str(label), str(label)
        )

    def say(self, text: str) -> str:
        """Put the condition into a sentence where it has ``{condition}``."""
        return text.replace("{condition}", self.condition)
