"""The plots: each a function from a published table to a matplotlib `Figure`, titled with its finding."""

from desertion.plots.convictions import long_view
from desertion.plots.frame import SIZES, gid, style
from desertion.plots.intervals import growth
from desertion.plots.monthly import intensity
from desertion.plots.offences import offences
from desertion.plots.outlook import forecast
from desertion.plots.places import places
from desertion.plots.plot import Plot, PlotWords
from desertion.plots.questions import questions
from desertion.plots.rates import deployed_rate
from desertion.plots.sources import coverage
from desertion.plots.stages import stages
from desertion.plots.terms import sentences
from desertion.plots.ukraine import ukraine
from desertion.plots.unpublished import unpublished

#: Every plot by its name.
PLOTS: dict[str, Plot] = {plot.name: plot for plot in (
    long_view, offences, growth, coverage, sentences, places, deployed_rate, ukraine, questions, intensity, forecast,
    stages, unpublished,
)}  # fmt: skip

__all__ = [
    "PLOTS", "SIZES", "Plot", "PlotWords", "coverage", "deployed_rate", "forecast", "gid", "growth", "intensity",
    "long_view", "offences", "places", "questions", "sentences", "stages", "style", "ukraine", "unpublished",
]  # fmt: skip
