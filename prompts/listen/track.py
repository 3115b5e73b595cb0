"""Follow one clip through a recording from where it may begin, and judge how much of it is there.

The clip is compared in blocks of 50 ms, so that a lost packet costs only its own blocks, a clip that was cut
off shows as a good beginning without an end, and a jitter buffer that slips by whole packets is followed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prompts.listen.audio import RATE, Samples
from prompts.listen.index import BLOCK, HOP, SPOT_HOPS, IndexedClip

_MATCH = 0.55  # a block at least as similar as this is heard
_BLOCK_S = BLOCK / RATE
_SLIP = RATE // 100  # slips are whole packets: multiples of 10 ms
_AROUND = RATE * 16 // 1000  # how far from the guess a clip is looked for: more than one period of a voice
_CUT_BLOCKS = 6
_RESUMED_BLOCKS = 5  # so many in a row are no chance, after something else was heard
_LOST = 0.2  # a block weaker than this share of what it should be was lost or cut off, and is no evidence


@dataclass(frozen=True, slots=True)
class Placement:
    """A clip at a place in a recording; places are samples of the recording at 8 kHz."""

    clip: int  # its number in the index
    start: int
    end: int
    score: float  # share of the clip that is heard, by loudness
    closeness: float  # mean correlation of the heard blocks
    density: float  # share heard of the stretch from the first heard block to the last
    heard_s: float
    from_start: bool  # nothing that matters is missing before the first heard block
    to_end: bool  # nor after the last
    explains_s: float  # of the recording: what is heard and close, less what should be there and is not

    @property
    def plausible(self) -> bool:
        """Enough of the clip is there: the shorter the evidence, the closer it has to fit."""
        return self._nearly_whole() or (
            self.heard_s >= 0.5 and self.density >= 0.75 and self.closeness >= 0.75  # it was cut short
        )

    @property
    def certain(self) -> bool:
        """Nothing else can have been played here."""
        return min(self.score, self.density) > 0.93 and self.closeness > 0.9 and self.heard_s >= 0.25

    @property
    def whole(self) -> bool:
        """It was played from its beginning to its end."""
        return self.score >= 0.55 and self.from_start and self.to_end

    @property
    def value(self) -> float:
        """How much it explains; less for a part of a clip, because one sentence may end several prompts."""
        return self.explains_s if self.whole else 0.7 * self.explains_s

    def _nearly_whole(self) -> bool:
        if self.score < 0.55 or self.density < 0.6:
            return False
        fits = ((0.35, 0.65), (0.2, 0.8)) if self.score < 0.8 else ((0.35, 0.65), (0.2, 0.8), (0.1, 0.9))
        return any(self.heard_s >= seconds and self.closeness >= least for seconds, least in fits)


@dataclass(slots=True)
class _Trace:
    """What became of each block of a clip: how similar, how loud, at which lag, and whether it is heard."""

    similar: NDArray[np.float64]
    energy: NDArray[np.float64]  # of the recording there
    lag: NDArray[np.intp]
    heard: NDArray[np.bool_]


def summed_energy(recording: Samples) -> NDArray[np.float64]:
    """The energy of a recording up to each sample, as `aligned` needs it."""
    return np.concatenate([[0.0], np.cumsum(recording.astype(np.float64) ** 2)])


def aligned(
    clip: IndexedClip, recording: Samples, energy: NDArray[np.float64], lag: int, offset: int
) -> tuple[float, int]:
    """The best lag within 16 ms of a guess, and how similar the spot of the clip at `offset` is there."""
    spot = clip.sound[offset : offset + HOP * SPOT_HOPS]
    first = lag + offset - _AROUND
    last = first + len(spot) + 2 * _AROUND
    if first >= 0 and last <= len(recording):
        around, sums = recording[first:last], energy[first : last + 1]
    else:
        around = _cut(recording, first, last - first)
        sums = summed_energy(around)
    products = np.correlate(around, spot, "valid")
    power = np.maximum(sums[len(spot) :] - sums[: -len(spot)], 1e-7)
    similar = products / np.sqrt(power * (float(spot @ spot) + 1e-9))
    best = int(similar.argmax())
    return float(similar[best]), lag + best - _AROUND


def placed(number: int, clip: IndexedClip, recording: Samples, lag: int) -> Placement | None:
    """Where and how well a clip is heard from one lag on; nothing when it is not there."""
    trace = _trace(clip, recording, lag)
    spoken = clip.weight > 0
    share = float((clip.weight * trace.heard).sum() / (clip.weight.sum() + 1e-9))
    if share < 0.12 and trace.heard.sum() < 6:
        return None
    if spoken.sum() >= 4 and trace.heard.sum() >= 2 and not trace.heard[spoken].all():
        _follow_slips(clip, recording, lag, trace)
    return _judged(number, clip, trace) if trace.heard.any() else None


def _trace(clip: IndexedClip, recording: Samples, lag: int) -> _Trace:
    similar, energy = _similarity(clip, recording, [lag])
    heard = (similar[:, 0] >= _MATCH) & (clip.weight > 0)
    return _Trace(similar[:, 0].copy(), energy[:, 0].copy(), np.full(len(heard), lag), heard)


def _similarity(
    clip: IndexedClip, recording: Samples, lags: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The correlation of every block at every lag, and the energy of the recording there."""
    length = clip.blocks.size
    there = np.stack([_cut(recording, lag, length).reshape(clip.blocks.shape) for lag in lags], axis=1)
    energy = (there.astype(np.float64) ** 2).sum(axis=2)
    products = (there * clip.blocks[:, None, :]).sum(axis=2)
    expected = np.maximum(clip.energy, 1e-9)[:, None]
    return products / np.sqrt(np.maximum(energy, 1e-7) * expected), energy


def _follow_slips(clip: IndexedClip, recording: Samples, lag: int, trace: _Trace) -> None:
    """Look for the blocks that are not heard at lags a few packets away, forwards and then backwards."""
    spoken = np.flatnonzero(clip.weight > 0)
    reach = 12 if len(spoken) > 12 else 5
    lags = [lag + _SLIP * step for step in range(-reach, reach + 1)]
    similar, energy = _similarity(clip, recording, lags)
    ahead = 5 if len(spoken) > 12 else 3
    for order in (spoken, spoken[::-1]):
        column: int | None = None
        for position, block in enumerate(order):
            if trace.heard[block]:
                column = int(trace.lag[block] - lag) // _SLIP + reach
                continue
            if column is None:
                continue
            column = _slipped(similar[order[position : position + ahead]], column)
            if similar[block, column] >= _MATCH:
                trace.heard[block] = True
                trace.similar[block], trace.energy[block] = similar[block, column], energy[block, column]
                trace.lag[block] = lags[column]


def _slipped(similar: NDArray[np.float64], column: int) -> int:
    """The lag of the blocks ahead: the one so far, unless another is clearly better for several of them."""
    means = similar.mean(axis=0)
    best = int(np.argmax(means))
    better = len(similar) >= 2 and means[best] > max(0.7, means[column] + 0.2)
    return best if better else column


def _judged(number: int, clip: IndexedClip, trace: _Trace) -> Placement:
    weight = clip.weight
    spoken = np.flatnonzero(weight > 0)
    wrong = _wrong(clip, trace)
    heard = _until_cut_off(weight, trace.heard, wrong)
    blocks = np.flatnonzero(heard)
    first, last = int(blocks[0]), int(blocks[-1])
    heard_weight = float((weight * heard).sum())
    inside = slice(first, last + 1)
    closeness = float((weight * trace.similar * heard).sum() / heard_weight)
    heard_s = len(blocks) * _BLOCK_S
    # What follows a clip that was cut off does not speak against it, but for the moment of the cut.
    missed = float(wrong[: last + 1 + _CUT_BLOCKS].sum()) * _BLOCK_S
    # Soft edges belong to the clip when the spoken block beside them was heard.
    begin = 0 if first == spoken[0] else first * BLOCK
    end = len(clip.sound) if last == spoken[-1] else (last + 1) * BLOCK
    return Placement(
        clip=number,
        start=int(trace.lag[first]) + begin,
        end=int(trace.lag[last]) + end,
        score=heard_weight / float(weight.sum() + 1e-9),
        closeness=closeness,
        density=heard_weight / float((weight[inside] * (heard | wrong)[inside]).sum()),
        heard_s=heard_s,
        from_start=_negligible(weight[:first], weight),
        to_end=_negligible(weight[last + 1 :], weight),
        explains_s=heard_s * closeness - 0.5 * missed,
    )


def _wrong(clip: IndexedClip, trace: _Trace) -> NDArray[np.bool_]:
    """The blocks in whose place something else is heard."""
    blocks = np.flatnonzero(trace.heard)
    gain = np.median(np.sqrt(trace.energy[blocks] / np.maximum(clip.energy[blocks], 1e-9)))
    arrived = np.sqrt(trace.energy) > _LOST * gain * np.sqrt(clip.energy)
    return np.asarray((clip.weight > 0) & ~trace.heard & arrived)


def _until_cut_off(
    weight: NDArray[np.float32], heard: NDArray[np.bool_], wrong: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The heard blocks up to where more speaks against the clip than for it: what is alike after that is chance."""
    kept = heard.copy()
    kept[int(np.argmax(np.cumsum(weight * heard - weight * wrong))) + 1 :] = False
    while kept.any():
        last = int(np.flatnonzero(kept)[-1])
        if last == np.flatnonzero(weight > 0)[-1]:
            break  # it was not cut off
        before = np.flatnonzero(wrong[:last])
        since = int(before[-1]) + 1 if len(before) else 0
        if since == 0 or kept[since : last + 1].sum() >= _RESUMED_BLOCKS:
            break
        kept[since:] = False
    return kept if kept.any() else heard


def _negligible(missing: NDArray[np.float32], weight: NDArray[np.float32]) -> bool:
    """No more is missing than a few lost packets take: 15 % of a short clip, 0.3 s of a long one."""
    return bool(missing.sum() < 0.15 * weight.sum() and (missing > 0).sum() * _BLOCK_S <= 0.3)


def _cut(recording: Samples, start: int, length: int) -> Samples:
    """A stretch of a recording, silent where it reaches beyond either end."""
    there = np.zeros(length, np.float32)
    first, last = max(0, start), min(len(recording), start + length)
    if last > first:
        there[first - start : last - start] = recording[first:last]
    return there
