"""Words on cases that are posted after a count: the band over the delay, and a last report that is short."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from desertion import figures
from desertion.trends import Refused, completeness, composite, posting
from desertion.trends.composite import Fit, delays
from desertion.trends.counts import Observations


@pytest.fixture(scope="module")
def found() -> Fit:
    """Monthly counts of two and a half years, each made nine days after its month."""
    start = np.array([date(2021 + k // 12, k % 12 + 1, 1).toordinal() for k in range(31)])
    counts = np.round(60 * 1.04 ** np.arange(30.0))
    days = np.column_stack([start[1:] + 8, np.zeros(30, np.int64)])
    ids, series = tuple(f"F{k:03d}" for k in range(30)), np.zeros(30, np.int64)
    obs = Observations(ids, series, start[:-1], start[1:], counts, counts, ("cases",), counted=days)
    fitted = composite.fit(obs, composite.Spec(tau=0.1, phi=2.0))
    assert isinstance(fitted, Fit)
    return fitted


def test_the_band_has_the_fit_as_it_is_and_at_three_rising_delays(found: Fit) -> None:
    pairs = completeness.pairs(figures.load())
    band = posting.band(found, pairs)
    assert isinstance(band, posting.Band)
    assert 0 < band.low < band.middle < band.high
    heads = ["quantity", "0 days, as above", *(f"{days:g} days" for days in (band.low, band.middle, band.high))]
    assert posting.shown(band).columns.tolist() == heads
    names = ["2021", "2022", "2023 to June", "June 2023", "growth 2021 to 2022"]
    assert band.table["quantity"].tolist() == names
    fits = delays.by_delay(found, pairs)
    assert not isinstance(fits, Refused)
    means = [one.totals([2021, 2022])["mean"].to_numpy() for one in (found, fits[2])]
    assert band.widest == pytest.approx(np.abs(means[1] / means[0] - 1).max())
    row = fits[1].totals([2022]).iloc[0]
    assert band.table.iloc[1, 3] == f"{row['mean']:,.0f} ({row['low']:,.0f} to {row['high']:,.0f})"


def test_the_last_month_is_given_as_it_is_and_as_it_would_be_if_the_last_report_were_short(found: Fit) -> None:
    one = posting.short(found)
    assert isinstance(one, posting.Short)
    assert (one.month, one.days, one.ids) == (pd.Timestamp("2023-06-01"), 9, "F029")
    assert one.now == found.intensity()["mean"].iloc[-1]
    table = delays.if_short(found, posting.SHORT)
    assert isinstance(table, pd.DataFrame)
    assert one.levels == "{:.0f}, {:.0f} or {:.0f}".format(*table["mean"].iloc[1:])
    note = posting.caveat(found)
    assert "the last report was counted 9 days after its last day" in note
    assert note.endswith(f"June 2023 is {one.levels} instead of {one.now:,.0f}.")
    assert len(note) < 300


def test_nothing_is_said_where_it_is_not_known_when_reports_were_counted_or_there_is_no_fit(found: Fit) -> None:
    blind = replace(found, obs=replace(found.obs, counted=None))
    for lacking in (blind, Refused("no statement", "")):
        assert isinstance(posting.short(lacking), Refused)
        assert posting.caveat(lacking) == ""
        band = posting.band(lacking, completeness.pairs(figures.load()))
        assert isinstance(band, Refused)
        assert posting.shown(band).empty
    assert isinstance(posting.short(found, "verdicts"), Refused)
