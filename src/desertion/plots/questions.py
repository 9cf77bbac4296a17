"""How far each question moves a growth factor: a dot for each option, in a row for each question."""

from __future__ import annotations

import pandas as pd

from desertion.plots.axes import factor_axis
from desertion.plots.contract import IDS, flag, numeric, records, text
from desertion.plots.frame import PlotPage
from desertion.plots.palette import ESTIMATE, SOFT, Style
from desertion.plots.plot import PlotWords, plot
from desertion.plots.rows import PlotRow, Rows

_TICKS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)
#: Ratio of the greatest to the least factor from which a question is said to move the answer.
_MOVES = 1.5


def _reach(rows: pd.DataFrame) -> pd.DataFrame:
    """Least and greatest factor by years and question, in the order of the table."""
    keys = ["from_year", "to_year", "question"]
    return rows.groupby(keys, sort=False).agg(
        least=("ratio", "min"), most=("ratio", "max"), kind=("kind", "first"), options=("option", "nunique")
    )


def _words(rows: pd.DataFrame) -> PlotWords:
    reach = _reach(rows)
    moved = reach[reach["most"].ge(_MOVES * reach["least"])]
    title = ""
    if len(moved) and moved["kind"].eq("counts").all():
        title = "How fast absence grew depends on what is counted, hardly on how the counts are read"
    shape = f"{len(rows)} dots on a log scale in {len(reach)} rows"
    if len(reach):
        widest = next(reach.reset_index().iloc[[int((reach["most"] / reach["least"]).argmax())]].itertuples())
        shape += f"; widest is “{widest.question}”, {widest.from_year:.0f} to {widest.to_year:.0f}: "
        shape += f"×{widest.least:.1f} to ×{widest.most:.1f}"
    subtitle = "Growth of absence without leave (Art. 337) by each option. Diamonds: of counts; dots: of the rate "
    subtitle += "behind them. Hollow: the report's own choice."
    return PlotWords(title, subtitle, f"{shape}.")


@plot(
    "How far each choice moves the growth of absence without leave (Art. 337)",
    {
        "from_year": numeric("the earlier year"),
        "to_year": numeric("the later year; a pair of years heads a group of rows"),
        "question": text("the choice, as a question: one row"),
        "option": text("the option that gives the factor"),
        "kind": text("counts (a ratio of published counts) or fits (of the model)"),
        "ratio": numeric("the factor", positive=True),
        "own": flag("whether it is the report's own choice"),
        "ids": IDS,
    },
    _words,
)
def questions(page: PlotPage, rows: pd.DataFrame) -> None:
    """One row per question and pair of years on a log axis, with a dot for each option."""
    reach, scale = _reach(rows), page.size.scale
    keys = [
        PlotRow(question, f"×{row.least:.1f}" + (f"–{row.most:.1f}" if row.options > 1 else ""), f"{a:.0f} → {b:.0f}")
        for (a, b, question), row in zip(reach.index, records(reach), strict=True)
    ]
    layout = Rows(page, keys, strip=10)
    axes = layout.panel(right="factor")
    factor_axis(page, axes, min(rows["ratio"].min(), 1.0) / 1.12, rows["ratio"].max() * 1.12, _TICKS)
    looks = {"counts": Style(SOFT, "D", ""), "fits": Style(ESTIMATE, "o", "")}
    for (pair, place), row in zip(zip(reach.index, layout.places, strict=True), records(reach), strict=True):
        look = looks[row.kind]
        axes.plot([row.least, row.most], [place, place], color=look.colour, alpha=0.4, linewidth=1.4 * scale, zorder=2)
        a, b, question = pair
        answers = rows["from_year"].eq(a) & rows["to_year"].eq(b) & rows["question"].eq(question)
        for each in records(rows[answers]):
            page.mark(axes, each.ratio, place, look, each.ids, hollow=bool(each.own), points=5.5)
