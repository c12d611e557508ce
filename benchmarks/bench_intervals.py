"""How often the 95 % intervals of mean profits, as users see them, contain the true mean.

    python -m benchmarks.bench_intervals [--samples 20000]

Trades close once a day and lose weight with a half-life, as in recall. Their profit ratios are
normal; heavy-tailed (Student's t, 4 degrees of freedom); or as a strategy with a target makes them:
four small wins of five, and a loss of three times that. Prints JSON: the share, by effective number
of trades.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
from numpy.typing import NDArray

from freqtrade_mem0.insight.shrinkage import Moments, interval
from freqtrade_mem0.insight.student import freedom_of

Floats = NDArray[np.float64]

N_EFFECTIVE = (3, 5, 10, 30, 100, 500)


def weights(n_effective: float, decays: bool) -> Floats:
    """Return the weights of as many trades as have this effective number; a long tail decays."""
    if not decays:
        return np.ones(round(n_effective))
    # Weights k^0, k^1, ... have the effective number (1 + k) / (1 - k).
    kept = (n_effective - 1.0) / (n_effective + 1.0)
    return np.asarray(kept ** np.arange(round(8.0 * n_effective)))


def covered(ratios: Floats, weight: Floats, truth: float) -> float:
    """Return the share of samples, shape (n_samples, n_trades), whose interval has the truth."""
    n, kish = weight.sum(), weight.sum() ** 2 / np.sum(weight**2)
    freedom = freedom_of(float(kish), float(np.sum((weight / n) ** 3)))
    means = ratios @ weight / n
    variances = (ratios**2) @ weight / n - means**2
    hits = 0
    for mean, variance in zip(means, variances, strict=True):
        spread = max(float(variance), 0.0)
        moments = Moments(n, float(mean), spread, kish=float(kish), freedom=freedom)
        low, high = interval(moments)
        hits += low <= truth <= high
    return hits / len(ratios)


def main() -> int:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20_000)
    n_samples: int = parser.parse_args().samples
    rng = np.random.default_rng(1)
    found: dict[str, dict[str, float]] = {}
    for decays in (False, True):
        for n_effective in N_EFFECTIVE:
            weight = weights(n_effective, decays)
            few = max(n_samples * 30 // max(len(weight), 30), 2_000)
            shape = (few, len(weight))
            drawn = {
                "normal": rng.standard_normal(shape),
                "heavy tails": rng.standard_t(4, shape),
                "small wins, large losses": np.where(rng.random(shape) < 0.8, 1.0, -3.0),
            }
            truths = {"normal": 0.0, "heavy tails": 0.0, "small wins, large losses": 0.2}
            for name, ratios in drawn.items():
                how = f"{name}, {'decay' if decays else 'no decay'}"
                share = covered(0.02 * ratios, weight, 0.02 * truths[name])
                found.setdefault(how, {})[str(n_effective)] = round(share, 3)
    print(json.dumps({"benchmark": "intervals", "samples": n_samples, "covered": found}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
