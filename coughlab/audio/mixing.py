"""Mixes the channels of a recording to one, and finds recordings whose mix loses the sound."""

import numpy as np

#: Energies are compared twice: below the first frequency, in Hz, because above it lossy codecs do not keep how channels relate;
#: and of differences below the second, which a common hum does not reach.
BELOW_HZ, DIFFERENCES_BELOW_HZ = 500, 1500
#: ... in frames of this length, in seconds.
FRAME_S = 0.02
#: Frames this far below the loudest one are not compared.
QUIET_DB = 20.0
#: The mean of n channels without any relation has 1/n of their mean energy. With less than this share of it, they cancel each
#: other: one is the other turned over, and at least 0.74 times as loud. Recordings of the case study have 0.053 and more.
CANCELS = 0.045
#: Samples of all channels that are measured at once.
TOGETHER = 2**16
#: ... unless the differences, which a hum or rumble of opposite phase does not reach, have more than this share.
UNRELATED = 0.6
#: The first channel with this share of the loudest one's energy is taken.
AS_LOUD = 0.98


def mono(block: np.ndarray) -> np.ndarray:
    """Mean of the channels of a block (frames, channels), full scale 1, shape (frames,), float32."""
    if block.dtype == np.float32 and block.shape[1] == 1:
        return block[:, 0].copy()
    with np.errstate(all="ignore"):  # an overflow becomes infinite, and is refused later
        mean = block.mean(axis=1, dtype=np.float64)
        if block.dtype.kind == "u":
            mean -= 128
        if block.dtype.kind != "f":
            mean /= 2.0 ** (8 * block.dtype.itemsize - 1)
        return mean.astype(np.float32)


class Energies:
    """Energies of the channels, and last of their mean, in each frame; without constant offsets and high frequencies."""

    def __init__(self) -> None:
        self._frames: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self._waiting: list[np.ndarray] = []
        self._rate = 0

    def add(self, block: np.ndarray, rate: int) -> None:
        """Measure the next block, shape (frames, channels); small blocks wait for others, which is faster."""
        if len(block) == 0 or block.shape[1] == 1:
            return
        self._rate = rate
        self._waiting.append(block.copy())
        if sum(map(len, self._waiting)) * block.shape[1] >= TOGETHER:
            self._measure()

    def _measure(self) -> None:
        if not self._waiting:
            return
        block, rate = np.concatenate(self._waiting), self._rate
        self._waiting.clear()
        for kept, below in zip(self._frames, (BELOW_HZ, DIFFERENCES_BELOW_HZ), strict=True):
            width = max(1, round(rate / (2 * below)))
            with np.errstate(all="ignore"):
                lower = np.add.reduceat(block, np.arange(0, len(block), width), axis=0, dtype=np.float64)
                lower = np.column_stack([lower, lower.mean(axis=1)])
                if below == DIFFERENCES_BELOW_HZ:
                    lower = np.diff(lower, axis=0, prepend=lower[:1])
                starts = np.arange(0, len(lower), max(1, round(rate * FRAME_S / width)))
                lengths = np.diff(starts, append=len(lower))[:, None]
                total, squares = (np.add.reduceat(x, starts) for x in (lower, lower * lower))
                kept.append(np.maximum(squares - total * total / lengths, 0))

    def loudest_instead(self, *, silent: bool) -> int | None:
        """The channel to take instead of the mean, if the mean loses the sound; `silent` if the whole mean is silent."""
        self._measure()
        compared = [_compared(np.concatenate(frames)) for frames in self._frames if frames]
        (low, each), (differences, loud) = compared if len(compared) == 2 else [(1.0, np.zeros(1))] * 2
        each = loud if loud.any() else each
        lost = differences < CANCELS or (low < CANCELS and differences < UNRELATED)
        if not each.any() or not (lost or silent):
            return None
        return int((each >= AS_LOUD * each.max()).argmax())


def _compared(energies: np.ndarray) -> tuple[float, np.ndarray]:
    """Energy of the mean in the loud frames as a share of what it is without any relation, and that of each channel."""
    channels, mean = energies[:, :-1], energies[:, -1]
    together = channels.sum(axis=1)
    loud = together >= 10 ** (-QUIET_DB / 10) * together.max()
    each = channels[loud].sum(axis=0)
    return float(mean[loud].sum() * len(each) ** 2 / max(each.sum(), 1e-300)), each
