"""The methods page states the numbers that the code uses."""

import calendar
import re

import numpy as np
import pytest

from desertion.project import PACKAGE
from desertion.trends.composite import Priors, gates, hyper, posterior, predictive
from desertion.trends.origins import ENOUGH

TEXT, CITED = (" ".join((PACKAGE / "report" / name).read_text(encoding="utf-8").split())
               for name in ("methods.md", "cite.md"))  # fmt: skip
NUMBERS = {8: "eight", 10: "ten", 12: "twelve"}
P = Priors()
_FAR = 100 * np.exp(-P.tau_rate * 0.3)
_PHI = 1 + np.exp(P.log_excess_mean + P.log_excess_sd * np.array([-1.96, 0, 1.96]))


@pytest.mark.parametrize(
    "words",
    [
        f"an exponential law of mean {1 / P.tau_rate:g}, so that a step above 0.3 has a probability of {_FAR:.0f} %",
        f"normal with mean {P.log_excess_mean:g} and standard deviation {P.log_excess_sd:g}",
        f"about {_PHI[1]:.1f} in the middle and lies between {_PHI[0]:.1f} and {_PHI[2]:.1f} with 95 %",
        f"a factor between two series (standard deviation {P.factor_sd:g})",
        f"breaks and slopes on the log scale ({P.effect_sd:g})",
        f"crude rate with standard deviation {P.level_sd:g}",
        f"median {P.delay_median:g} months and standard deviation {P.delay_sd:g}",
        f"in steps of {hyper.SPACING[2]:g} standard deviations for two of them and {hyper.SPACING[3]:g} for three",
        f"the log density falls by {hyper.DROP:g}",
        f"those of totals reach to {posterior.WIDENING['total']:g} times the quantiles of Student's law with "
        f"{posterior.DEGREES['total']} degrees of freedom, those of growth to {posterior.WIDENING['growth']:g} times "
        f"those with {posterior.DEGREES['growth']};",
        f"those of numbers of cases are {posterior.WIDENING['cases']:g} times as wide",
        f"factors between series {posterior.WIDENING['factor']:g} times",
        f"that of $\\phi$ {posterior.WIDENING['phi']:g} times",
        f"misses by more than {predictive.NOTICED:g} standard deviations",
        f"the dispersion without it is at most {predictive.LEFT:g} of that with it",
        f"levels and totals from {NUMBERS[gates.FOR_LEVELS]} counts that do not follow from each other",
        f"dated break with {NUMBERS[gates.CELLS_A_SIDE]} counts on each side",
        f"at least {NUMBERS[ENOUGH]} such counts",
    ],
)
def test_the_methods_page_states(words: str) -> None:
    assert words in TEXT
    assert posterior.WIDENING.keys() == {"total", "growth", "cases", "factor", "phi"}


def test_every_work_that_the_methods_name_is_in_the_list_of_works() -> None:
    named = set(re.findall(r"\b([A-Z][\w-]+(?: and [A-Z][\w-]+| et al\.)? (?:19|20)\d\d)\b", TEXT))
    named = {one for one in named if one.split()[0] not in calendar.month_name}
    assert len(named) > 12
    assert {one for one in named if one not in CITED} == set()
