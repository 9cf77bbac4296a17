"""The plots: what they ask of a table, what they draw of it, whether it can be read, and what they say of it."""

from __future__ import annotations

import io
import itertools
import re
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from support import colours, overlaps

from desertion import plots
from desertion.plots import palette, wording
from desertion.plots.contract import clean, conform, numeric
from desertion.plots.frame import MARGIN, SIZES, PlotPage, gid
from desertion.plots.labels import Label, Placer

TABLES = Path(__file__).parent / "plot_tables"
NAMES = list(plots.PLOTS)
SIZED = [pytest.param(name, size, id=f"{name}-{size}") for name in NAMES for size in SIZES]
FOOTER = "Counted by Judicial Department, The Insider and 3 others. Published up to 19 Aug 2025."


def table(name: str) -> pd.DataFrame:
    """Real statements under their real ids, in the form in which a plot's table is published."""
    return pd.read_csv(TABLES / f"{name}.csv")


@cache
def figure(name: str, size: str = "double") -> Figure:
    return plots.PLOTS[name](table(name), size, FOOTER)


def marks(fig: Figure, ids: str, kind: type = Line2D) -> list:
    return [artist for artist in fig.findobj(kind) if artist.get_gid() == gid(ids)]


# --- the contract -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_missing_column_is_named(name):
    for column in plots.PLOTS[name].columns:
        with pytest.raises(ValueError, match=re.escape(f"plot {name}: column {column!r} is missing")):
            plots.PLOTS[name](table(name).drop(columns=column))


@pytest.mark.parametrize(
    ("column", "cell"),
    [("value", "4 373"), ("value", float("inf")), ("period_start", "2024-24-20"), ("total", "maybe"), ("ids", "")],
)
def test_wrong_cell_is_named_with_row_and_value(column, cell):
    rows = table("offences").astype(object)
    rows.loc[7, column] = cell
    with pytest.raises(ValueError, match=rf"plot offences: row 7: column '{column}' .*{re.escape(str(cell))}"):
        plots.offences(rows)


@pytest.mark.parametrize(
    ("name", "column", "cell", "words"),
    [
        ("places", "bound", "over", "is none of exact, about, at_least, at_most"),
        ("stages", "stage", "guessed", "is none of registered"),
        ("growth", "factor", 0.0, "is not above zero, and the axis is a log axis"),
        ("ukraine", "low", -1.0, "is not above zero, and the axis is a log axis"),
    ],
)
def test_a_cell_that_no_plot_can_draw_is_named(name, column, cell, words):
    rows = table(name).astype(object)
    rows.loc[1, column] = cell
    with pytest.raises(ValueError, match=rf"plot {name}: row 1: column '{column}' .*{words}"):
        plots.PLOTS[name](rows)


def test_contract_stands_in_the_docstring():
    for name, plot in plots.PLOTS.items():
        assert plot.__doc__.startswith(plot.draw.__doc__)
        for column in plot.columns:
            assert re.search(rf"^ +{column}: ", plot.__doc__, re.MULTILINE), (name, column)


def test_unknown_size_is_refused():
    with pytest.raises(ValueError, match=r"size 'poster' is none of single, double, slide"):
        plots.growth(table("growth"), "poster")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("use", [lambda plot, rows: plot(rows), lambda plot, rows: plot.describe(rows)])
def test_a_table_without_rows_is_refused(name, use):
    with pytest.raises(ValueError, match=f"plot {name}: its table has no rows to draw"):
        use(plots.PLOTS[name], table(name).iloc[:0])


def test_dated_events_without_a_count_are_nothing_to_show():
    rows = table("long_view")
    events = rows[rows["measure"] == "event"]
    assert len(events)
    with pytest.raises(ValueError, match="plot long_view: its table has no rows to draw"):
        plots.long_view(events)


def test_the_axis_of_the_long_view_reaches_its_events():
    rows = table("long_view")
    late = rows[(rows["measure"] == "event") | (pd.to_datetime(rows["period_end"]).dt.year < 2022)]
    (axes,) = plots.long_view(late).axes
    events = pd.to_datetime(late.loc[late["measure"] == "event", "period_start"])
    assert axes.get_xlim()[1] >= events.dt.year.max()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_pass_the_contract_unchanged(values):
    rows = conform("p", pd.DataFrame({"value": values}), {"value": numeric("n")})
    assert rows["value"].tolist() == values


def test_control_and_direction_characters_are_not_drawn():
    assert clean("a\u202eb\x00c\nd\u200be") == "ab c de"
    assert len(clean("x" * 10_000)) == 300


# --- what can be read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "size"), SIZED)
def test_the_page_has_its_width_and_ends_with_its_footer(name, size):
    fig = figure(name, size)
    assert fig.get_size_inches()[0] == pytest.approx({"single": 3.5, "double": 7.2, "slide": 10}[size])
    assert FOOTER.split()[-1] in " ".join(text for text, *_ in overlaps.words(fig))


@pytest.mark.parametrize("size", ["single", "double"])
@pytest.mark.parametrize("name", NAMES)
def test_no_words_lie_over_words_marks_or_lines_leave_the_page_or_are_too_small(name, size):
    assert overlaps.faults(figure(name, size)) == []


def test_what_lies_over_what_is_found():
    with plots.style():
        fig = Figure(figsize=(3, 2))
        axes = fig.add_axes((0.1, 0.1, 0.8, 0.8), xlim=(0, 10), ylim=(0, 10), xticks=[], yticks=[])
        axes.plot([0, 10], [5, 5], gid="F1")
        axes.plot([2], [8], "o", gid="F2")
        axes.add_patch(Rectangle((6, 0), 2, 3, gid="F3"))
        for x, y, words in ((1, 5, "on a line"), (2, 8, "on a mark"), (6, 1, "on a bar"), (9, 9, "beyond the page")):
            axes.text(x, y, words, fontsize=9, va="center")
        axes.text(1, 2, "one", fontsize=9)
        axes.text(1.2, 2, "over", fontsize=8)
    assert overlaps.faults(fig) == [
        "'beyond the page' leaves the page",
        "'over' is of 8.0 points",
        "'over' lies over 'one'",
        "'on a line' lies over a line F1",
        "'on a mark' lies over a mark F2",
        "'on a bar' lies over an area F3",
    ]


@pytest.mark.parametrize("size", ["single", "double"])
@pytest.mark.parametrize("name", NAMES)
def test_title_and_footer_have_few_lines(name, size):
    plot = plots.PLOTS[name]
    page = plot.page(plot.conform(table(name)), size, FOOTER)
    size_of, across = page.size, (page.size.width - 2 * MARGIN) * 72
    with plots.style():
        assert page.wrap(page.title, size_of.title, across, "bold").count("\n") <= (2 if size == "single" else 1)
        assert page.wrap(FOOTER, size_of.small, across).count("\n") <= 1


@pytest.mark.parametrize(("name", "size"), SIZED)
def test_every_statement_has_a_mark_and_every_mark_its_statement(name, size):
    expected = {gid(ids) for ids in table(name)["ids"]}
    fig = figure(name, size)
    drawn = {artist.get_gid() for artist in fig.findobj() if artist.get_gid()}
    if name == "deployed_rate":  # a size of the army that is not known has no mark
        expected = {gid(ids) for ids in table(name).dropna(subset="value")["ids"]}
    if name == "long_view":  # a break is a line with a letter and has no statement of a number
        events = table(name)["measure"] == "event"
        expected = {gid(ids) for ids in table(name)["ids"][~events]}
    assert drawn == expected


def _cues(fig: Figure, rows: pd.DataFrame, by: str) -> dict[str, set[tuple[str, ...]]]:
    """Colour and second cue (marker, or the width of a line) with which each series is drawn."""
    cues: dict[str, set[tuple[str, ...]]] = {}
    for row in rows.itertuples():
        for artist in fig.findobj(Line2D):
            if artist.get_gid() != gid(row.ids):
                continue
            fill = artist.get_markerfacecolor()
            colour = artist.get_markeredgecolor() if to_hex(fill) == "#ffffff" else fill
            second = str(artist.get_marker()) if artist.get_marker() != "None" else f"{artist.get_linewidth():.1f}"
            cues.setdefault(str(getattr(row, by)), set()).add((to_hex(colour), second))
    return cues


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("long_view", "compiler"),
        ("offences", "compiler"),
    ],
)
def test_series_of_one_plot_can_be_told_apart_in_every_sight(name, by):
    rows = table(name)
    rows = rows[rows["measure"] != "event"] if "measure" in rows else rows
    rows = rows[~rows["total"]] if "total" in rows else rows
    panels = [part for _, part in rows.groupby("panel")] if "panel" in rows else [rows]
    for part in panels:
        cues = _cues(figure(name), part, by)
        assert set(cues) == set(part[by].astype(str))
        for one, other in itertools.combinations(cues, 2):
            for (colour, marker), (colour2, marker2) in itertools.product(cues[one], cues[other]):
                far = colours.distance(colour, colour2) >= colours.LEAST_DISTANCE
                assert far or marker != marker2, f"{one} and {other} look alike"


@pytest.mark.parametrize(("name", "size"), [(name, "double") for name in ("long_view", "offences", "sentences")])
def test_counts_start_at_zero(name, size):
    for axes in figure(name, size).axes:
        if axes.get_ylim()[0] > axes.get_ylim()[1]:  # rows
            assert axes.get_xlim()[0] == 0
        elif axes.get_yticks().size:
            assert axes.get_ylim()[0] == 0
        elif name == "sentences":
            assert axes.get_xlim()[0] == 0


def test_log_axes_say_so_and_have_plain_ticks():
    fig = figure("growth")
    (axes,) = fig.axes
    assert axes.get_xscale() == "log"
    assert any("log scale" in text.get_text().replace("\n", " ") for text in fig.texts)
    with plots.style():
        ticks = [text.get_text() for text in axes.get_xticklabels()]
    assert "×1" in ticks
    assert all(re.fullmatch(r"×[\d.,]+", tick) for tick in ticks)


# --- what is drawn ------------------------------------------------------------------------------------------------


def test_long_view_draws_each_count_as_a_step_over_its_period_at_its_number_a_month():
    rows, fig = table("long_view"), figure("long_view")
    for row in rows[(rows["measure"] != "event") & (rows["compiler"] != "Proekt")].itertuples():
        (step,) = marks(fig, row.ids)
        start, end = pd.Timestamp(row.period_start), pd.Timestamp(row.period_end) + pd.Timedelta(days=1)
        assert step.get_ydata().tolist() == [row.monthly, row.monthly]
        assert [start.year <= step.get_xdata()[0] < start.year + 1, step.get_xdata()[1] >= end.year] == [True, True]
        assert row.monthly == pytest.approx(row.value / (end - start).days * 30.4375, abs=0.05)


def test_a_counter_whose_measure_changes_has_dots_that_show_it_and_no_line():
    rows, fig = table("long_view"), figure("long_view")
    dots = rows[rows["compiler"] == "Proekt"]
    assert dots["measure"].nunique() == 2
    for row in dots.itertuples():
        (dot,) = marks(fig, row.ids)
        assert dot.get_ydata().tolist() == [row.monthly]
        assert (to_hex(dot.get_markerfacecolor()) == "#ffffff") == (row.measure == "cases_received_by_court")


def test_the_line_breaks_where_only_parts_of_the_article_are_counted():
    rows = table("long_view")
    parts = rows[rows["covers"].notna()]
    assert len(parts) == 2
    left = min(marks(figure("long_view"), ids)[0].get_xdata()[0] for ids in parts["ids"])
    risers = {line.get_xdata()[0] for line in figure("long_view").axes[0].lines if len({*line.get_xdata()}) == 1}
    assert left not in risers
    assert "Mediazona from Nov 2023: the parts added in September 2022 alone." in " ".join(
        text.get_text().replace("\n", " ") for text in figure("long_view").texts
    )


def test_events_stand_at_their_days_in_words():
    fig = figure("long_view")
    days = {line.get_xdata()[0] for line in fig.axes[0].lines if line.get_color() == palette.SOFT}
    assert sorted(days) == pytest.approx([2022 + 54 / 365, 2022 + 263 / 365, 2023 + 43 / 365])
    assert any("Mobilisation declared, Sep 2022" in text.get_text().replace("\n", " ") for text in fig.axes[0].texts)


def test_the_title_of_the_intensity_has_the_numbers_of_its_reports():
    rows = table("intensity")
    words = plots.intensity.words(plots.intensity.conform(rows))
    after = rows[
        rows["period_start"].ge("2023-11-22") & rows["period_end"].le("2024-12-27") & rows["kind"].eq("report")
    ]
    after = after[after["ids"].str.contains(" ")]  # differences of running totals
    days = (pd.to_datetime(after["period_end"]) - pd.to_datetime(after["period_start"])).dt.days + 1
    assert days.sum() == 402
    monthly = (after["value"] * days).sum() / 402
    (before,) = rows.loc[rows["period_start"].eq("2022-01-01") & rows["period_end"].eq("2022-12-31"), "value"]
    rise = f"From {before:.0f} cases a month in 2022 to about {round(monthly, -1):.0f} in 2024"
    assert words.title == f"{rise}; no clear rise since"
    late = rows["period_end"].gt("2025-01-01") & rows["kind"].eq("report")
    steep = rows.assign(value=rows["value"].where(~late, 2000))
    assert plots.intensity.words(plots.intensity.conform(steep)).title == rise
    flat = rows.assign(value=rows["value"].where(rows["kind"] == "band", 80))
    assert plots.intensity.words(plots.intensity.conform(flat)).title == plots.intensity.topic


@pytest.mark.parametrize("name", ["long_view", "offences"])
def test_the_numbers_of_a_title_are_those_of_the_table(name):
    rows = table(name)
    title = plots.PLOTS[name].words(plots.PLOTS[name].conform(rows)).title
    if name == "long_view":
        cases = rows[(rows["compiler"] == "Mediazona")].sort_values("period_end")
        assert f"about {float(f'{cases.iloc[-2].monthly:.2g}'):.0f} cases" in title
        assert f"against {cases.iloc[0].monthly:.0f} in 2021" in title
        flat = rows.assign(monthly=rows["monthly"].where(rows["measure"] == "event", 50.0))
    else:
        shares = rows[rows["total"]].set_index("articles")["value"]
        assert 0.85 < shares[337] / shares.sum() < 0.9
        assert title.startswith("Nearly nine in ten")
        flat = rows.assign(value=100)
    assert plots.PLOTS[name].words(plots.PLOTS[name].conform(flat)).title == plots.PLOTS[name].topic


def test_zeros_are_drawn_at_zero():
    rows, fig = table("offences"), figure("offences")
    zeros = rows[rows["value"] == 0]
    assert len(zeros) == 3
    for row in zeros.itertuples():
        (step,) = marks(fig, row.ids)
        assert step.get_ydata().tolist() == [0, 0]


def test_the_totals_of_offences_are_bars_from_zero_on_one_scale():
    rows, fig = table("offences"), figure("offences")
    totals = rows[rows["total"]]
    bars = {row.ids: marks(fig, row.ids, Rectangle) for row in totals.itertuples()}
    assert [(bar.get_x(), bar.get_width()) for (bar,) in bars.values()] == [(0, value) for value in totals["value"]]
    assert len({bar.axes for (bar,) in bars.values()}) == 1
    small, large = (fig.axes[place].get_ylim()[1] for place in (2, 1))
    assert large == 10 * small
    assert any("is ten times as long" in text.get_text() for text in fig.axes[0].texts)


def test_growth_bars_reach_the_ends_of_the_intervals():
    rows, fig = table("growth"), figure("growth")
    for row in rows.itertuples():
        spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in marks(fig, row.ids, Rectangle)]
        if pd.isna(row.low):
            assert spans == []
            assert to_hex(marks(fig, row.ids)[0].get_markerfacecolor()) == "#ffffff"
        else:
            assert np.allclose(spans, [(row.low, row.high)])
            assert marks(fig, row.ids)[0].get_xdata()[0] == row.factor


def test_a_growth_interval_down_to_zero_runs_off_the_axis():
    rows = table("growth")
    rows.loc[1, "low"] = 0.0
    with warnings.catch_warnings(action="error"):
        fig = plots.growth(rows, "double", FOOTER)
    low, high = fig.axes[0].get_xlim()
    assert 0 < low < rows["factor"].min() < high
    assert marks(fig, rows["ids"][1], Rectangle)[0].get_x() == low


@pytest.mark.parametrize(("column", "value"), [("level", 90), ("dispersion", 20), ("factor", 0)])
def test_growth_refuses_what_it_cannot_show(column, value):
    rows = table("growth")
    rows.loc[1, column] = value
    with pytest.raises(ValueError, match=f"plot growth: (row 1: )?column '{column}'"):
        plots.growth(rows)


def test_coverage_lays_the_finest_count_on_top():
    rows, fig, key = table("coverage"), figure("coverage"), ["articles", "measure", "compiler"]
    bars = {bar.get_gid(): bar for bar in fig.findobj(Rectangle) if bar.get_gid()}
    month = rows[(rows["period_start"] == "2024-03-01") & (rows["period_end"] == "2024-03-31")].iloc[0]
    around = rows[
        (rows[key] == month[key]).all(axis=1)
        & (rows["period_start"] <= "2022-12-31")
        & (rows["period_end"] >= "2024-06-01")
    ]
    assert len(around)
    fine = bars[gid(month["ids"])]
    for ids in around["ids"]:
        assert bars[gid(ids)].get_zorder() < fine.get_zorder()
        assert bars[gid(ids)].get_height() < fine.get_height()
    assert fine.get_x() == pytest.approx(2024 + 60 / 366)


def test_intensity_draws_reports_over_their_periods_and_no_level_where_the_prior_sets_it():
    rows = table("intensity")
    band = rows["kind"] == "band"
    months = rows["period_start"].between("2021-03-01", "2021-08-01")
    rows.loc[band & months, "prior_driven"] = True
    rows.loc[band & months, "high"] = 1e6
    fig = plots.intensity(rows)
    (axes,) = fig.axes
    assert axes.get_ylim()[0] == 0
    assert axes.get_ylim()[1] < 2000  # what the prior alone allows does not set the scale
    hatched = [patch for patch in axes.patches if patch.get_hatch()]
    assert len(hatched) == 1
    x = hatched[0].get_xy()[:, 0]
    assert (x.min(), x.max()) == pytest.approx((2021 + 59 / 365, 2021 + 243 / 365))  # March to August
    levels = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) > 2]
    assert [(level[0], level[-1]) for level in levels] == [
        pytest.approx((2021, x.min())),
        pytest.approx((x.max(), 2025 + 151 / 365)),
    ]
    for row in rows[~band].itertuples():
        bar = marks(fig, row.ids)[0]
        assert bar.get_ydata().tolist() == [row.value, row.value]
        start, end = (pd.Timestamp(day) for day in (row.period_start, row.period_end))
        assert start.year <= bar.get_xdata()[0] < bar.get_xdata()[1] <= end.year + 1


@pytest.mark.parametrize(("column", "value"), [("kind", "month"), ("mean", None)])
def test_intensity_refuses_what_it_cannot_show(column, value):
    rows = table("intensity")
    rows.loc[1, column] = value
    with pytest.raises(ValueError, match=rf"plot intensity: .*{column}"):
        plots.intensity(rows)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "guess"}, "row 0: column 'kind' 'guess'"),
        ({"low95": None}, "row 0: column 'low95'"),
        ({"median": None}, "row 0: column 'median'"),
        ({"note": "another"}, "column 'note' has several values"),
    ],
)
def test_forecast_refuses_what_it_cannot_show(change, words):
    rows = table("forecast")
    ((column, value),) = change.items()
    rows.loc[0, column] = value
    with pytest.raises(ValueError, match=f"plot forecast: {words}"):
        plots.forecast(rows)


# --- the same picture everywhere ----------------------------------------------------------------------------------


def _svg(fig: Figure) -> bytes:
    out = io.BytesIO()
    with plots.style():
        fig.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def test_users_own_settings_change_nothing():
    plain = _svg(plots.growth(table("growth")))
    with mpl.rc_context(
        {"font.size": 30, "axes.facecolor": "red", "text.color": "pink", "svg.fonttype": "path", "lines.linewidth": 9}
    ):
        assert _svg(plots.growth(table("growth"))) == plain


def test_drawing_leaves_the_users_settings_and_table_alone():
    before, rows = dict(mpl.rcParams), table("long_view")
    copy = rows.copy(deep=True)
    plots.long_view(rows)
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(rows, copy)


@pytest.mark.parametrize("name", ["long_view", "coverage"])
def test_typed_table_and_its_published_text_draw_the_same(name):
    rows = table(name)
    typed = rows.assign(**{column: pd.to_datetime(rows[column]) for column in ("period_start", "period_end")})
    text = rows.astype(object).where(rows.notna(), "")
    assert _svg(plots.PLOTS[name](typed)) == _svg(plots.PLOTS[name](text))


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_alternative_text_says_the_finding_and_the_shape_briefly(name):
    plot = plots.PLOTS[name]
    words = plot.words(plot.conform(table(name)))
    assert words.title[:1].isupper() or words.title[:1].isdigit()
    assert not words.title.endswith(".")
    assert plot.describe(table(name)) == f"{words.title}. {words.shape}"
    assert len(f"{words.alt} {FOOTER}".split()) <= 60


@pytest.mark.parametrize("name", NAMES)
def test_a_title_states_a_finding_and_the_topic_in_its_place_names_the_article(name):
    plot = plots.PLOTS[name]
    assert plot.words(plot.conform(table(name))).title != plot.topic
    assert re.search(r"\(Art\. 3\d\d", plot.topic)
    assert not plot.topic.startswith("Russia:")


def test_the_title_of_growth_holds_for_its_numbers_alone():
    rows = table("growth")
    title = plots.growth.words(plots.growth.conform(rows)).title
    cases = rows[rows["measure"].eq("cases_received_by_court") & rows["low"].gt(1)]
    assert title.startswith(f"Courts received {cases['factor'].max():.2g} times as many cases of absence without leave")
    assert title.endswith("in 2023 as in 2021; convictions had fallen before")
    official = rows["compiler"].eq("Judicial Department")
    rose = rows.assign(high=rows["high"].where(~official, 3.0))
    assert plots.growth.words(plots.growth.conform(rose)).title.endswith("in 2023 as in 2021")
    convicted = rows[rows["measure"].eq("persons_convicted")].assign(articles="337")
    convicted.loc[~official, ["label", "factor"]] = ["2023 → 2024", 2.4]
    assert plots.growth.words(plots.growth.conform(convicted)).title == (
        "Courts convicted 2.4 times as many soldiers of absence without leave in 2024 as in 2023; "
        "convictions had fallen before"
    )
    for change in ({"low": 0.9}, {"factor": 1.9}, {"label": "Jan–Jul 2021 → 2023"}):
        words = plots.growth.words(plots.growth.conform(rows.assign(**change)))
        assert words.title == plots.growth.topic, change


def test_the_title_of_the_forecast_says_how_wide_it_is():
    rows = table("forecast")
    last = rows[rows["kind"] == "forecast"].sort_values("period_end").index[-1]
    rows.loc[last, ["low95", "high95"]] = [610, 940]
    (month,) = {wording.period_of(row) for row in plots.forecast.conform(rows.loc[[last]]).itertuples()}
    title = f"610 to 940 cases of absence without leave in {month}"
    assert plots.forecast.words(plots.forecast.conform(rows)).title == f"Courts may receive {title}"
    rows.loc[last, "low95"] = 0
    title = title.replace("610", "0")
    assert plots.forecast.words(plots.forecast.conform(rows)).title == f"What comes next is not known: {title}"


@pytest.mark.parametrize("name", NAMES)
def test_where_no_finding_holds_the_topic_is_the_title(name):
    plot = plots.PLOTS[name]
    quiet = replace(plot, find_words=lambda rows: plots.PlotWords("", "What is shown", "A shape."))
    assert quiet.words(plot.conform(table(name))) == (plot.topic, "What is shown", "A shape.")


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2021-01-01", "2021-12-31", "2021"),
        ("2018-01-01", "2022-12-31", "2018–2022"),
        ("2024-03-01", "2024-03-31", "Mar 2024"),
        ("2024-02-01", "2024-02-29", "Feb 2024"),
        ("2025-01-01", "2025-07-31", "Jan–Jul 2025"),
        ("2022-10-01", "2023-06-30", "Oct 2022 – Jun 2023"),
        ("2023-01-01", "2023-05-07", "1 Jan – 7 May 2023"),
        ("2022-09-21", "2024-06-18", "21 Sep 2022 – 18 Jun 2024"),
        ("2024-03-20", "2024-03-20", "20 Mar 2024"),
    ],
)
def test_periods_have_short_names(start, end, words):
    assert wording.period(pd.Timestamp(start), pd.Timestamp(end)) == words


@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_numbers_are_printed_as_they_are(whole, places):
    value = whole / 10**places
    assert float(wording.number(value).replace(",", "").replace("−", "-")) == pytest.approx(value, abs=1e-9)


@given(st.lists(st.integers(1, 10**6).map(lambda n: n / 1000), min_size=1, max_size=5))
def test_aligned_numbers_have_as_many_decimals_and_lose_nothing(values):
    printed = wording.aligned(values)
    assert len({len(text.partition(".")[2]) for text in printed}) == 1
    assert [float(text.replace(",", "")) for text in printed] == values


# --- labels -------------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1, max_size=25))
def test_labels_that_may_be_left_out_never_cover_each_other_or_a_mark(points):
    with plots.style():
        fig = Figure(figsize=(4, 3))
        renderer = FigureCanvasAgg(fig).get_renderer()
        axes: Axes = fig.add_axes((0, 0, 1, 1), xlim=(-5, 105), ylim=(-5, 105))
        placer = Placer()
        for x, y in points:
            placer.mark(axes, x, y, 3)
            placer.label(Label(axes, [f"{x},{y:03}"], [(x, y)], 7.0, reach=4.0))
        fig.draw_without_rendering()
        placer.place(fig, renderer)
        boxes = []
        for text in axes.texts:
            text.update_positions(renderer)
            boxes.append(Text.get_window_extent(text, renderer))
        dots = [axes.transData.transform(point) for point in points]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    assert not any(box.contains(*dot) for box in boxes for dot in dots)
    assert boxes  # the first label of all always finds room


def test_words_wrap_within_the_width_and_articles_stay_together():
    with plots.style():
        page = PlotPage("t", "single", "")
        text = "Convictions under Art. 337 and " + "x" * 200 + " Art. 338"
        lines = page.wrap(text, 7, 100).split("\n")
        assert all(page.width_of(line, 7) <= 100 for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert not any(line.endswith("Art.") for line in lines)


# --- colours ------------------------------------------------------------------------------------------------------


def test_distance_has_the_known_values():
    assert colours.distance("#ffffff", "#000000", "normal") == pytest.approx(100, abs=0.1)
    # L*a*b* of the sRGB primaries: red 53.24, 80.09, 67.20; green 87.73, -86.18, 83.18 (Lindbloom).
    assert colours.distance("#ff0000", "#00ff00", "normal") == pytest.approx(170.6, abs=0.5)


def test_simulated_sights_confuse_what_they_should():
    red, green, blue = "#c04040", "#508040", "#4060c0"
    for sight in ("protanopia", "deuteranopia"):
        assert colours.distance(red, green, sight) < 0.5 * colours.distance(red, green, "normal")
        assert colours.distance(red, blue, sight) > 40
    assert colours.distance("#ff0000", "#959595", "grey") < 60
    assert colours.distance("#808080", "#ff0000") == min(
        colours.distance("#808080", "#ff0000", sight) for sight in colours.SIGHTS
    )


def test_greys_look_the_same_in_every_sight():
    for sight in colours.SIGHTS:
        assert colours.distance("#777777", "#cccccc", sight) == pytest.approx(
            colours.distance("#777777", "#cccccc", "normal"), abs=0.5
        )


@given(
    st.lists(
        st.sampled_from(["Judicial Department", "Proekt", "The Insider", "Mediazona", "A", "B", "C", "D", "E"]),
        max_size=5,
    )
)
def test_no_two_series_get_one_style_and_one_counter_has_one_colour(counters):
    chosen = palette.styles({f"{place} {counter}": counter for place, counter in enumerate(counters)})
    assert len(chosen) == len(counters)
    colour = {counter: chosen[f"{place} {counter}"].colour for place, counter in enumerate(counters)}
    assert [each.colour for each in chosen.values()] == [colour[counter] for counter in counters]
    for one, other in itertools.combinations(chosen.values(), 2):
        apart = colours.distance(one.colour, other.colour) >= colours.LEAST_DISTANCE
        assert apart or (one.marker, one.line) != (other.marker, other.line)


def test_too_many_series_are_refused():
    with pytest.raises(ValueError, match="counters in one panel"):
        palette.styles({f"series {n}": f"counter {n}" for n in range(30)})
    with pytest.raises(ValueError, match="cannot be told apart"):
        palette.styles({f"series {n}": "Mediazona" for n in range(30)})


def test_steps_differ_in_lightness_for_everyone():
    for one, other in itertools.pairwise(palette.STEPS):
        assert colours.distance(one, other, "grey") >= colours.LEAST_DISTANCE
        assert colours.distance(one, other) >= colours.LEAST_DISTANCE


def test_ink_can_be_read_on_white():
    for style in palette.COUNTERS.values():
        assert palette.contrast(style.ink) >= 4.5
        assert palette.contrast(style.colour) > 2.5
