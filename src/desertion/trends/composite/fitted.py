"""A fitted composite link model and its tables: levels, totals, growth and factors, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from html import escape
from typing import Literal

import numpy as np
import pandas as pd

from desertion.errors import UserError
from desertion.trends import Refused
from desertion.trends.arrays import Floats, Ints
from desertion.trends.composite import prior
from desertion.trends.composite.hyper import Start
from desertion.trends.composite.lattice import Lattice
from desertion.trends.composite.posterior import Mixture, Posterior, tails
from desertion.trends.composite.spec import Spec
from desertion.trends.counts import Observations

Period = int | tuple[date, date]


@dataclass(frozen=True)
class Fit:
    """The posterior of a composite link model; made by `model.fit`.

    Every table has `low` and `high` at `spec.level`. Months and totals are expected numbers of cases (the intensity of
    the process), not the published counts. `mode` is theta at the best node, a starting point for another fit to the
    same reports. `varied` holds fits at other delays where the reports do not identify the delay.
    """

    obs: Observations
    spec: Spec
    lattice: Lattice
    design: prior.Design
    posterior: Posterior
    loglik: float
    log_marginal: float
    mode: Floats
    varied: tuple[Fit, ...] = ()

    def __repr__(self) -> str:
        what = f"trend {self.spec.trend}, {self.spec.level:.0%} intervals"
        return (
            f"Fit of {len(self.starts)} {self.spec.unit}s ({what}) to {repr(self.obs).removeprefix('Observations: ')}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.summary().to_html(index=False, float_format='{:,.4g}'.format)}"

    @property
    def start(self) -> Start:
        """Where the search of a fit to nearly the same reports begins."""
        with np.errstate(divide="ignore", invalid="ignore"):
            psi = np.log([[at.tau, at.delta, at.delay] for at in self.posterior.hyper])
            weight = self.posterior.weight
            spread = np.sqrt(weight @ (psi - weight @ psi) ** 2)
        return Start(self.mode, psi[int(np.argmax(weight))], np.where(spread > 1e-6, spread, np.nan))

    @cached_property
    def starts(self) -> list[date]:
        """First day of each period that reports reach."""
        return [date.fromordinal(int(d)) for d in self._bounds[:-1]]

    @cached_property
    def ends(self) -> list[date]:
        """Last day of each period that reports reach."""
        return [date.fromordinal(int(d) - 1) for d in self._bounds[1:]]

    @property
    def _bounds(self) -> Ints:
        return self.design.bounds()[self.design.lead :]

    @property
    def _path(self) -> Floats:
        """Rows that give the log intensity of the periods that reports reach: (periods, p)."""
        return self._rows(self.design.path)[self.design.lead :]

    def _rows(self, path: Floats) -> Floats:
        rows = np.zeros((len(path), self.posterior.centre.shape[1]))
        rows[:, : path.shape[1]] = path
        return rows

    @property
    def tails(self) -> Floats:
        """Probabilities of `low`, median and `high`."""
        return np.array([(1 - self.spec.level) / 2, 0.5, (1 + self.spec.level) / 2])

    @cached_property
    def drawn(self) -> tuple[Floats, Ints]:
        """Draws of theta (draws, p) and their nodes (draws,), from the fixed seed of the specification."""
        return self.posterior.draw(self.spec.draws, np.random.default_rng(self.spec.seed))

    def series(self, series: str | None) -> int:
        """Position of the series with this name, the reference where None. Raises UserError for an unknown name."""
        if series is None:
            return 0
        if series not in self.obs.series_names:
            raise UserError(f"series '{series}' is not in the fit; it has {', '.join(self.obs.series_names)}")
        return self.obs.series_names.index(series)

    def means(self, series: int, draws: Floats, nodes: Ints) -> Floats:
        """Expected cases of `series` in every period, the lead's too, at draws of theta: (draws, periods)."""
        k = self.design.path.shape[1]
        level = np.exp(draws[:, :k] @ self.design.path.T + self.design.offset)
        if self.design.delayed[series]:
            level = self.late(level, nodes)
        return np.asarray(level * np.exp(draws[:, k:] @ self.design.factors[series])[:, None])

    def late(self, level: Floats, nodes: Ints) -> Floats:
        """Intensities `level` (draws, periods) after the delay of each draw's node."""
        late = np.empty_like(level)
        for node in np.unique(nodes):
            kernel = prior.delay_kernel(self.posterior.hyper[node].delay, self.design.lead + 1)
            mine = nodes == node
            late[mine] = np.array([np.convolve(row, kernel)[: level.shape[1]] for row in level[mine]])
        return late

    def log_sums(self, shares: Floats, series: str | None = None, *, ratio: bool = False) -> Mixture:
        """The law of the log of expected cases summed with weights `shares` (n, periods); shapes (n,).

        With `ratio` (n = 2) the law of the log of the second sum over the first. A sum of dependent lognormals is taken
        to be lognormal, with its own mean and the variance of its linear part: the plain normal law would let the parts
        of a reported total vary as if the report did not hold them together.
        """
        s, design = self.series(series), self.design
        rows = self._rows(design.path)
        rows[:, design.path.shape[1] :] = design.factors[s]
        weights = np.hstack([np.zeros((len(shares), design.lead)), shares])
        mean, sd = [], []
        for hyper, centre, root in zip(self.posterior.hyper, self.posterior.centre, self.posterior.root, strict=True):
            late = weights
            if design.delayed[s]:
                late = prior.delay(weights, np.ones(len(weights), bool), hyper.delay, design.lead)
            spread = rows @ root
            parts = late * np.exp(rows @ centre + design.offset + (spread**2).sum(axis=1) / 2)
            total = parts.sum(axis=1)
            linear = (parts / total[:, None]) @ spread
            variance = (linear**2).sum(axis=1)
            level = np.log(total) - variance / 2
            if ratio:
                level, linear = level[1:] - level[:1], linear[1:] - linear[:1]
                variance = (linear**2).sum(axis=1)
            mean.append(level)
            sd.append(np.sqrt(variance))
        return Mixture(self.posterior.weight, np.array(mean), np.array(sd))

    def contraction(self, rows: Floats) -> Floats:
        """1 − posterior variance / prior variance of `rows @ theta`, at least 0.

        The level counts as known: its prior is vague on purpose, and against it every month would look informed.
        """
        centred = rows - self._path.mean(axis=0) if self.design.walk.any() else rows.copy()
        centred[:, 0] = 0.0
        sd = self.posterior.of(rows).sd
        # a flat prior counts as a very wide one
        variance = np.array([1 / np.maximum(self.design.precision(h.tau), 1e-12) for h in self.posterior.hyper])
        before = self.posterior.weight @ (variance @ (centred**2).T)
        after = self.posterior.weight @ sd**2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.clip(np.where(before > 0, 1 - after / before, 1.0), 0.0, 1.0)

    def hyper(self, name: str) -> Floats:
        """`tau`, `delta` (phi − 1) or `delay` (periods) at every node."""
        return np.array([getattr(h, name) for h in self.posterior.hyper])

    def contraction_of_hyper(self, name: str) -> float:
        """1 − posterior/prior variance of the logarithm of a hyper-parameter."""
        scale = {"tau": np.pi / np.sqrt(6), "delta": self.spec.priors.log_excess_sd, "delay": self.spec.priors.delay_sd}
        values = np.log(np.maximum(self.hyper(name), 1e-12))
        mean = self.posterior.averaged(values)
        return float(max(0.0, 1 - self.posterior.averaged((values - mean) ** 2) / scale[name] ** 2))

    def intensity(self, series: str | None = None) -> pd.DataFrame:
        """Expected cases of `series` (None: the reference) in each period.

        Returns
        -------
        DataFrame
            - period_start, period_end: first and last day
            - mean, median, low, high: expected cases
            - contraction: share of the prior variance that the reports removed
            - prior_driven: whether the period is the smoothness prior's interpolation, not to be drawn as data
        """
        spans = list(zip(self.starts, self.ends, strict=True))
        return self._expected(spans, np.eye(len(spans)), series, self.tails, self._path)

    def totals(self, period: Literal["year"] | Sequence[Period] = "year", series: str | None = None) -> pd.DataFrame:
        """Expected cases of `series` in calendar years (the parts that reports reach) or in given periods.

        Returns a table with the columns of `intensity`. Raises UserError for a period that the reports do not reach.
        """
        spans = self.spans(period)
        shares = np.array([self.share(a, b) for a, b in spans])
        return self._expected(spans, shares, series, tails(self.spec.level, "total"), self._log_total(shares))

    def _expected(
        self, spans: list[tuple[date, date]], shares: Floats, series: str | None, probabilities: Floats, rows: Floats
    ) -> pd.DataFrame:
        """The table of `intensity` and `totals`: sums with weights `shares`, informed as `rows @ theta` are."""
        law = self.log_sums(shares, series)
        low, median, high = np.exp(law.quantiles(probabilities))
        contraction = self.contraction(rows)
        return pd.DataFrame(spans, columns=["period_start", "period_end"]).assign(
            mean=law.mean_exp(), median=median, low=low, high=high, contraction=contraction,
            prior_driven=contraction < prior.CONTRACTION,
        )  # fmt: skip

    def growth(self, a: Period, b: Period, series: str | None = None) -> dict[str, float] | Refused:
        """Daily rate in period `b` over that in `a`, each a year or two dates.

        Returns ratio, low and high; refused where either period is prior-driven. Raises UserError for a period that the
        reports do not reach.
        """
        spans = [_span(a), _span(b)]
        shares = np.array([self.share(*span) for span in spans])
        contraction = self.contraction(self._log_total(shares))
        for (first, last), share in zip(spans, contraction, strict=True):
            if share < prior.CONTRACTION:
                return Refused(f"the level of {first} to {last} is prior-driven", "reports inside that period")
        days = [(last - first).days + 1 for first, last in spans]
        law = self.log_sums(shares, series, ratio=True)
        low, median, high = np.exp(law.quantiles(tails(self.spec.level, "growth"))[:, 0]) * days[0] / days[1]
        return {"ratio": float(median), "low": float(low), "high": float(high)}

    def factors(self) -> pd.DataFrame:
        """Ratios of series, effects of breaks and slopes, and the hyper-parameters.

        Returns
        -------
        DataFrame
            - name: of the series, the trend's term or the hyper-parameter
            - kind: `factor`, `trend` or `hyper`
            - estimate, se, low, high: logarithms for factors and terms; tau, phi and delay (periods) as they are
            - ratio: exp of the estimate, for factors and terms
            - contraction, prior_driven: as in `intensity`
        """
        keep = np.flatnonzero(~self.design.walk)
        rows = np.eye(len(self.design.names))[keep]
        law = self.posterior.of(rows)
        mean, sd = law.moments()
        k = self.design.path.shape[1]
        wide = law.quantiles(tails(self.spec.level, "factor"))
        low, _, high = np.where(keep >= k, wide, law.quantiles(self.tails))
        before = self.design.scale[keep] ** 2
        contraction = np.clip(1 - sd**2 / before, 0.0, 1.0)
        table = pd.DataFrame(
            {
                "name": [self.design.names[i] for i in keep],
                "kind": ["factor" if i >= k else "trend" for i in keep],
                "estimate": mean, "se": sd, "low": low, "high": high, "ratio": np.exp(mean), "contraction": contraction,
                "prior_driven": contraction < prior.CONTRACTION,
            }
        )  # fmt: skip
        return pd.concat([table, self._hyper_rows()], ignore_index=True)

    def _hyper_rows(self) -> pd.DataFrame:
        rows = []
        for name, shift in (("tau", 0.0), ("delta", 1.0), ("delay", 0.0)):
            values = self.hyper(name) + shift
            if np.isnan(values).any():
                continue
            mean = self.posterior.averaged(values)
            label = "phi" if name == "delta" else name
            low, _, high = self.posterior.quantiles(values, tails(self.spec.level, label))
            fixed = bool(np.ptp(values) == 0)
            informed = 0.0 if fixed else self.contraction_of_hyper(name)
            if name == "delay" and self.varied:
                others = [v.hyper("delay")[0] for v in self.varied]
                low, high = min(others), max(others)
            row = {"name": label, "kind": "hyper", "estimate": mean}
            row |= {"se": np.sqrt(self.posterior.averaged((values - mean) ** 2)), "low": low, "high": high}
            rows.append(row | {"ratio": np.nan, "contraction": informed, "prior_driven": informed < prior.CONTRACTION})
        return pd.DataFrame(rows)

    def summary(self) -> pd.DataFrame:
        """The main numbers: expected cases by calendar year and in the last period, growth, ratios, hyper-parameters.

        Returns a table with the columns quantity, estimate, low, high, contraction and prior_driven. Growth is between
        the last two whole years; ratios of series and breaks are factors.
        """
        rows: list[dict[str, object]] = []
        totals = self.totals("year")
        last = self.intensity().iloc[-1:]
        ends = [] if last["period_start"].iloc[0] == totals["period_start"].iloc[-1] else last.to_dict("records")
        for row in [*totals.to_dict("records"), *ends]:
            name = f"cases {row['period_start']} to {row['period_end']}"
            rows.append({str(k): v for k, v in row.items()} | {"quantity": name, "estimate": row["mean"]})
        pairs = zip(totals["period_start"], totals["period_end"], strict=True)
        years = [a.year for a, b in pairs if (b - a).days >= 364][-2:]
        if len(years) == 2 and isinstance(growth := self.growth(*years), dict):
            rows.append({"quantity": f"ratio {years[1]} to {years[0]}", "estimate": growth["ratio"], **growth})
        for row in self.factors().to_dict("records"):
            if row["kind"] != "hyper":
                row |= {"estimate": row["ratio"], "low": np.exp(row["low"]), "high": np.exp(row["high"])}
            if row["name"] != "constant":
                rows.append({str(k): v for k, v in row.items()} | {"quantity": row["name"]})
        return pd.DataFrame(rows)[["quantity", "estimate", "low", "high", "contraction", "prior_driven"]]

    def spans(self, period: Literal["year"] | Sequence[Period]) -> list[tuple[date, date]]:
        """First and last day of each calendar year (the part that reports reach) or of each given period."""
        if period == "year":
            first, last = self.starts[0], self.ends[-1]
            years = range(first.year, last.year + 1)
            return [(max(first, date(y, 1, 1)), min(last, date(y, 12, 31))) for y in years]
        return [_span(p) for p in period]

    def share(self, first: date, last: date) -> Floats:
        """Share of each period that the days from `first` to `last` cover. Raises UserError for days out of reach."""
        bounds = self._bounds
        a, b = first.toordinal(), last.toordinal() + 1
        if a < bounds[0] or b > bounds[-1] or a >= b:
            raise UserError(f"{first} to {last} is not inside {self.starts[0]} to {self.ends[-1]}, which reports reach")
        return np.asarray(prior.share(np.array([a]), np.array([b]), bounds)[0])

    def _log_total(self, shares: Floats) -> Floats:
        """Rows of the linear part of the log total of each period in `shares`: (totals, p)."""
        centre, _ = self.posterior.of(self._path).moments()
        parts = shares * np.exp(centre + self.design.offset[self.design.lead :])
        return np.asarray((parts / parts.sum(axis=1, keepdims=True)) @ self._path)


def _span(period: Period) -> tuple[date, date]:
    if isinstance(period, int):
        return date(period, 1, 1), date(period, 12, 31)
    first, last = period
    if last < first:
        raise UserError(f"a period from {first} to {last} runs backwards")
    return first, last
