"""The commands for counts of anybody: an interval, a rate ratio, a trend of a file, scores of a file of forecasts."""

from __future__ import annotations

import argparse
import math
import sys
from typing import Any

from desertion.errors import CsvError, UserError
from desertion.text import print_json, visible_lines


def _show(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json({name: value if value is None or math.isfinite(value) else None for name, value in values.items()})
    else:
        from desertion.trends.exact import LEAST_P

        least = {name: "< " for name, value in values.items() if name == "p_value" and value <= LEAST_P}
        print("\n".join(f"{name:8} {least.get(name, '')}{value:.6g}" for name, value in values.items()))


#: Above it neighbouring whole numbers are one to a computer, and tails of the laws lose their meaning.
_LARGEST = 2.0**53


def _demand_counts(**counts: float) -> None:
    for name, count in counts.items():
        if count > _LARGEST:
            raise UserError(f"{name} is {count:g}: it is a count, at most {_LARGEST:.0f}")


def interval(arguments: argparse.Namespace) -> None:
    """Print the exact interval of a rate."""
    from desertion.trends import exact

    _demand_counts(x=arguments.x)
    rate = exact.interval(arguments.x + 0.0, arguments.t, arguments.level)
    _show({"rate": rate.rate, "low": rate.low, "high": rate.high}, arguments.json)


def rate_ratio(arguments: argparse.Namespace) -> None:
    """Print the exact ratio of two rates."""
    from desertion.trends import exact

    _demand_counts(x1=arguments.x1, x2=arguments.x2)
    ratio = exact.rate_ratio(
        arguments.x1, arguments.t1, arguments.x2, arguments.t2, level=arguments.level, midp=arguments.midp
    )
    _show({"ratio": ratio.ratio, "low": ratio.low, "high": ratio.high, "p_value": ratio.p_value}, arguments.json)


def fit(arguments: argparse.Namespace) -> int:
    """Print the trend of the counts in a file; 2 where it is refused."""
    from desertion.csv_models import fit as models

    try:
        result = models.fit_file(
            arguments.file, arguments.model, arguments.trend, period_unit=arguments.period_unit,
            exposure=arguments.exposure, harmonics=arguments.harmonics, steps=arguments.forecast,
            level=arguments.level, seed=arguments.seed,
        )  # fmt: skip
    except UserError as error:
        needs = "a file without these faults" if isinstance(error, CsvError) else "options that there are"
        result = models.refusal(arguments.model, arguments.trend, str(error), needs)
    refused = result["refused"]
    if refused:
        print(visible_lines(f"refused: {refused['reason']} (needs: {refused['needs']})"), file=sys.stderr)
    if arguments.json:
        print_json(result)
    elif not refused:
        print(visible_lines(models.describe(result)))
    return 2 if refused else 0


def score(arguments: argparse.Namespace) -> None:
    """Print the scores of the forecasts in a file."""
    from desertion.csv_models import scores

    result = scores.score_file(arguments.file)
    if arguments.json:
        print_json(result)
        return
    for name, value in result.items():
        if value not in (None, [], {}):
            print(f"{name:10} {value:.6g}" if isinstance(value, float) else f"{name:10} {value}")
