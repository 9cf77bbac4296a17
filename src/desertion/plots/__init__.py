"""The plots: each a function from a published table to a matplotlib `Figure`, titled with its finding."""

from desertion.plots.articles import sentences
from desertion.plots.convictions import long_view
from desertion.plots.frame import SIZES, gid, style
from desertion.plots.intervals import growth
from desertion.plots.monthly import intensity
from desertion.plots.offences import offences
from desertion.plots.outlook import forecast
from desertion.plots.plot import Plot, PlotWords
from desertion.plots.rates import comparators, deployed_rate
from desertion.plots.sources import coverage
from desertion.plots.specification import specification_curve

#: Every plot by its name.
PLOTS: dict[str, Plot] = {
    plot.name: plot
    for plot in (
        long_view,
        offences,
        growth,
        coverage,
        sentences,
        deployed_rate,
        comparators,
        specification_curve,
        intensity,
        forecast,
    )
}

__all__ = [
    "PLOTS",
    "SIZES",
    "Plot",
    "PlotWords",
    "comparators",
    "coverage",
    "deployed_rate",
    "forecast",
    "gid",
    "growth",
    "intensity",
    "long_view",
    "offences",
    "sentences",
    "specification_curve",
    "style",
]
