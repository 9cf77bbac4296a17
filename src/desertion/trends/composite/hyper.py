"""Integrates over the hyper-parameters: their mode, a grid along its principal axes, weights (Rue et al., 2009)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from desertion.errors import ModeError
from desertion.trends.composite.laplace import Mode

Floats = NDArray[np.float64]

#: Spacing of the grid in standard deviations by its dimensions, and the drop of the log density at which it ends. A sum
#: over a normal density in steps of 1.4 (1.7) standard deviations is right to 1e-4 (4e-3) by Poisson summation, so a
#: wide grid beats a dense one.
SPACING, DROP = {1: 1.0, 2: 1.4, 3: 1.7}, 5.5
_STENCIL = 0.35
_MOVES = 25


@dataclass(frozen=True)
class Node:
    """One point of the grid: hyper-parameters `psi`, the fit there, and its weight (all weights sum to one)."""

    psi: Floats
    mode: Mode
    weight: float


Fit = Callable[[Floats, Floats | None], tuple[Mode, float]]


class _Surface:
    """The log posterior of psi with every fit kept, each started from the nearest fit made before."""

    def __init__(self, fit: Fit, scale: Floats):
        self.fit, self.scale = fit, scale
        self.seen: dict[tuple[float, ...], tuple[Mode, float] | None] = {}
        self.where: list[tuple[Floats, Floats]] = []

    def __call__(self, psi: Floats) -> float:
        key = tuple(np.round(psi, 10))
        if key not in self.seen:
            start = None
            if self.where:
                start = min(self.where, key=lambda w: float((((w[0] - psi) / self.scale) ** 2).sum()))[1]
            try:
                self.seen[key] = self.fit(psi, start)
                self.where.append((psi, self.seen[key][0].theta))  # type: ignore[index]
            except ModeError:
                if not self.where:
                    raise
                self.seen[key] = None
        found = self.seen[key]
        return -np.inf if found is None else found[1]

    def mode(self, psi: Floats) -> Mode:
        """The fit at a point visited before."""
        found = self.seen[tuple(np.round(psi, 10))]
        if found is None:
            raise ModeError("no fit at these hyper-parameters")
        return found[0]


def integrate(fit: Fit, start: Floats, scale: Floats) -> list[Node]:
    """The nodes of the posterior of psi; `fit(psi, theta)` gives the mode and the log posterior of psi.

    `start` (d) is where to begin, `scale` (d) the prior standard deviations. With d = 0 there is one node.
    Raises laplace.ModeError where the first fit fails.
    """
    surface = _Surface(fit, scale)
    if len(start) == 0:
        surface(start)
        return [Node(start, surface.mode(start), 1.0)]
    centre, axes = _peak(surface, start, scale)
    points = _grid(surface, centre, axes)
    top = max(value for _, value in points)
    weight = np.array([np.exp(value - top) for _, value in points])
    weight /= weight.sum()
    return [Node(psi, surface.mode(psi), float(w)) for (psi, _), w in zip(points, weight, strict=True)]


def _peak(surface: _Surface, psi: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """The mode of the surface, and R with R R' its inverse curvature there: Newton on a stencil of differences."""
    d = len(psi)
    width = _STENCIL * scale
    eye = np.eye(d)
    for _ in range(_MOVES):
        here = surface(psi)
        up = np.array([surface(psi + width * e) for e in eye])
        down = np.array([surface(psi - width * e) for e in eye])
        if not np.isfinite([here, *up, *down]).all():
            width = width / 2
            continue
        gradient = (up - down) / 2
        hessian = np.diag(up + down - 2 * here)
        for i in range(d):
            for j in range(i):
                both = surface(psi + width * (eye[i] + eye[j]))
                hessian[i, j] = hessian[j, i] = both - up[i] - up[j] + here
        if not np.isfinite(hessian).all():
            width = width / 2
            continue
        value, vector = np.linalg.eigh(-hessian)
        # a flat or convex direction is taken to be as wide as the prior leaves it
        value = np.maximum(value, _STENCIL**2)
        step = vector @ ((vector.T @ gradient) / value)
        step *= min(1.0, 2.0 / max(float(np.abs(width * step / scale).max()), 1e-300))
        spread = np.sqrt(np.diag(vector @ np.diag(1 / value) @ vector.T))
        if float(np.abs(step / spread).max()) < 0.25:
            return psi, (width[:, None] * vector) / np.sqrt(value)
        while surface(psi + width * step) < here - 1e-9 and float(np.abs(step / spread).max()) > 0.05:
            step = step / 2
        psi = psi + width * step
        width = np.minimum(width * np.clip(_STENCIL * 2 * spread, 0.5, 2.0), _STENCIL * scale)
    return psi, (width[:, None] * vector) / np.sqrt(value)


def _grid(surface: _Surface, centre: Floats, axes: Floats) -> list[tuple[Floats, float]]:
    """Points of a lattice around the mode, from the middle outwards while the density is worth it."""
    d = len(centre)
    spacing = SPACING[d]
    top = surface(centre)
    reached: dict[tuple[int, ...], float] = {(0,) * d: top}
    edge = list(reached)
    while edge:
        beyond = {
            tuple(int(a + b) for a, b in zip(place, move, strict=True))
            for place in edge
            for move in product((-1, 0, 1), repeat=d)
            if sum(map(abs, move)) == 1
        }
        edge = []
        for place in sorted(beyond - reached.keys()):
            if spacing**2 * sum(k * k for k in place) > 2 * (DROP + 3.5):
                continue  # a density this much skewer than normal would not be believed anyway
            reached[place] = surface(centre + spacing * (axes @ np.array(place, dtype=np.float64)))
            if reached[place] > top - DROP:
                edge.append(place)
    points = [(centre + spacing * (axes @ np.array(p, dtype=np.float64)), v) for p, v in reached.items()]
    return [(psi, value) for psi, value in points if value > top - DROP]
