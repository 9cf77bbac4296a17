"""The plots: each a function from a published table to a matplotlib `Figure`, titled with its finding."""

from desertion.plots.convictions import long_view
from desertion.plots.frame import SIZES, gid, style
from desertion.plots.intervals import growth
from desertion.plots.monthly import intensity
from desertion.plots.offences import offences
from desertion.plots.outlook import forecast
from desertion.plots.places import places
from desertion.plots.plot import Plot, PlotWords
from desertion.plots.rates import deployed_rate
from desertion.plots.sources import coverage
from desertion.plots.specification import specification_curve
from desertion.plots.stages import stages
from desertion.plots.terms import sentences
from desertion.plots.ukraine import ukraine
from desertion.plots.unpublished import unpublished

#: Every plot by its name.
PLOTS: dict[str, Plot] = {
    plot.name: plot
    for plot in (
        long_view,
        offences,
        growth,
        coverage,
        sentences,
        places,
        deployed_rate,
        ukraine,
        specification_curve,
        intensity,
        forecast,
        stages,
        unpublished,
    )
}

__all__ = [
    "PLOTS",
    "SIZES",
    "Plot",
    "PlotWords",
    "coverage",
    "deployed_rate",
    "forecast",
    "gid",
    "growth",
    "intensity",
    "long_view",
    "offences",
    "places",
    "sentences",
    "specification_curve",
    "stages",
    "style",
    "ukraine",
    "unpublished",
]
