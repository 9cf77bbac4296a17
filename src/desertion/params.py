"""The typed parameters of an edition and of each notebook; an unknown or impossible one is an error.

A notebook's `parameters` cell holds the defaults of its model here (a test compares them). An edition, a small
YAML file, only overrides: a shared parameter reaches every notebook that has it, one under `notebooks:` reaches
that notebook alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from desertion import vocabulary
from desertion.errors import UserError
from desertion.project import EDITIONS, relative

M = TypeVar("M", bound=BaseModel)
Json = None | bool | int | float | str | list[Any] | dict[str, Any]


def _articles(text: str) -> str:
    vocabulary.parse_articles(text)
    return text


def _one_of(words: Iterable[str]) -> Callable[[str], str]:
    def check(word: str) -> str:
        if word not in words:
            raise ValueError(f"not one of the known words{_suggest(word, words)}")
        return word

    return check


def _unique(values: list[str] | None) -> list[str] | None:
    if values is not None and not values:
        raise ValueError("an empty list selects nothing; write null for all of them")
    if values is not None and len(set(values)) < len(values):
        raise ValueError("a word stands twice")
    return values


Articles = Annotated[str, AfterValidator(_articles)]
Measure = Annotated[str, AfterValidator(_one_of(vocabulary.MEASURES))]
Rule = Annotated[str, AfterValidator(_one_of(vocabulary.RULES))]
BoundReading = Annotated[str, AfterValidator(_one_of(vocabulary.BOUND_READINGS))]


class Parameters(BaseModel):
    """Base of all parameter models: no unknown names, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Known(Parameters):
    """What was known: statements published, and corrections found, up to a day."""

    as_of: Annotated[date, Field(strict=False)] | None = Field(
        None, description="last day of publication that counts; null: everything in data/"
    )
    undated_lag_days: int = Field(
        60, ge=0, le=3650, description="days after its period's end that an undated statement counts as published"
    )


class Choice(Parameters):
    """Which statement speaks for a count that several print."""

    rule: Rule = Field("own-page-first", description="how one of several statements of a count is chosen")


class Window(Parameters):
    """Which figures are looked at."""

    start: Annotated[date, Field(strict=False)] = Field(date(2009, 1, 1), description="first day looked at")
    end: Annotated[date, Field(strict=False)] = Field(date(2025, 12, 31), description="last day looked at")
    compilers: Annotated[list[str] | None, AfterValidator(_unique)] = Field(
        None, description="who counted; null: everybody"
    )
    measures: Annotated[list[Measure] | None, AfterValidator(_unique)] = Field(
        None, description="what was counted; null: everything"
    )
    articles: Annotated[list[Articles] | None, AfterValidator(_unique)] = Field(
        None, description="under which articles; null: all"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.start > self.end:
            raise ValueError(f"start {self.start} is after end {self.end}")
        return self


class Level(Parameters):
    """How wide intervals are."""

    level: float = Field(0.95, gt=0.5, lt=1, description="coverage of the intervals")


class Inference(Level):
    """How intervals are made."""

    bound_reading: BoundReading = Field("rounding", description="how 'more than' and 'nearly' are read")
    seed: int = Field(20240320, ge=0, lt=2**32, description="seed of everything drawn at random")


class Shared(Known, Choice, Window, Inference):
    """The parameters of an edition."""


class FiguresNotebook(Known, Choice, Window):
    """01-figures."""


class ClaimsNotebook(Known, Level):
    """02-claims."""


class TrendsNotebook(Shared):
    """03-trends."""

    articles: Annotated[list[Articles], AfterValidator(_unique)] = Field(
        ["337", "337+338+339"], description="article sets whose counts are compared, each with itself"
    )
    measures: Annotated[list[Measure], AfterValidator(_unique)] = Field(
        ["persons_convicted", "cases_received_by_court", "verdicts"], description="what was counted"
    )
    assumed_dispersion: float = Field(
        50.0, ge=1, le=1000, description="variance over mean that the outer interval of a growth factor assumes"
    )
    incomplete: bool = Field(False, description="whether counts of most of a year are compared too, by the day")
    minimum_df: int = Field(5, ge=1, le=100, description="residual degrees of freedom below which a trend is not shown")
    running_totals: Literal["totals", "rebased", "differences", "drop"] = Field(
        "rebased", description="running totals as printed, less the first, less the one before, or left out"
    )
    forecast_months: int = Field(12, ge=1, le=60, description="months that the forecast and the scenarios cover")


class ComparisonsNotebook(Known, Choice):
    """04-comparisons."""

    denominator: Literal["deployed/ukraine-estimate", "deployed/putin"] = Field(
        "deployed/ukraine-estimate", description="series of context.csv that rates per 1,000 are divided by"
    )


class SensitivityNotebook(Shared):
    """05-sensitivity."""

    start: Annotated[date, Field(strict=False)] = Field(date(2021, 1, 1), description="first day looked at")
    articles: Annotated[list[Articles], AfterValidator(_unique)] = Field(
        ["337", "337+338+339"], description="article sets whose counts are fitted, each as a series"
    )
    measures: Annotated[list[Measure], AfterValidator(_unique)] = Field(
        ["cases_received_by_court", "verdicts", "persons_convicted"], description="what was counted"
    )
    specifications: int = Field(600, ge=1, le=20_000, description="combinations of choices that are drawn and fitted")


NOTEBOOKS: dict[str, type[Parameters]] = {
    "01-figures": FiguresNotebook,
    "02-claims": ClaimsNotebook,
    "03-trends": TrendsNotebook,
    "04-comparisons": ComparisonsNotebook,
    "05-sensitivity": SensitivityNotebook,
}


@dataclass(frozen=True)
class Edition:
    """A named set of parameters: `name`, the YAML file's `title` and `description`, and what it overrides."""

    name: str
    title: str
    description: str
    shared: dict[str, Any]
    own: dict[str, dict[str, Any]]

    def for_notebook(self, stem: str) -> dict[str, Json]:
        """Every parameter of notebook `stem` in JSON types: its defaults with this edition's overrides.

        Raises UserError where the notebook is unknown or a value does not fit it.
        """
        model = notebook_model(stem)
        values = {key: value for key, value in self.shared.items() if key in model.model_fields}
        return check_overrides(stem, values | self.own.get(stem, {}), where=f"editions/{self.name}.yml")

    @property
    def _values(self) -> Shared:
        return Shared.model_validate(self.shared)

    @property
    def as_of(self) -> date | None:
        """The last day of publication that counts, or None for everything."""
        return self._values.as_of

    @property
    def undated_lag_days(self) -> int:
        """Days after its period's end that an undated statement counts as published."""
        return self._values.undated_lag_days

    @property
    def rule(self) -> str:
        """How one of several statements of a count is chosen."""
        return self._values.rule


class _File(Parameters):
    title: str = Field(min_length=1)
    description: str = ""
    parameters: dict[str, Any] = {}
    notebooks: dict[str, dict[str, Any]] = {}


def names(folder: Path = EDITIONS) -> list[str]:
    """The editions that exist, by name."""
    return sorted(path.stem for path in folder.glob("*.yml"))


def edition(name: str, folder: Path = EDITIONS) -> Edition:
    """Read and check `editions/NAME.yml`. Raises UserError naming the parameter, its value and what is allowed."""
    path = folder / f"{name}.yml"
    if not path.is_file() or "/" in name:
        raise UserError(f"no edition {name!r}{_suggest(name, names(folder))}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:  # a ValueError is an impossible date such as 2024-24-20
        raise UserError(f"{relative(path)}: not a YAML file: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{relative(path)}: an edition is a mapping with title, description, parameters, notebooks")
    where = relative(path)
    file = _validate(_File, content, where)
    _validate(Shared, file.parameters, f"{where}: parameters")
    result = Edition(name, file.title, file.description, file.parameters, file.notebooks)
    for stem in file.notebooks:
        notebook_model(stem, where)
    for stem in NOTEBOOKS:
        result.for_notebook(stem)
    return result


def notebook_model(stem: str, where: str = "notebooks") -> type[Parameters]:
    """The model of notebook `stem`. Raises UserError with the nearest name where there is none."""
    if stem not in NOTEBOOKS:
        raise UserError(f"{where}: no parameters are declared for notebook {stem!r}{_suggest(stem, NOTEBOOKS)}")
    return NOTEBOOKS[stem]


def check_overrides(stem: str, values: Mapping[str, Any], where: str = "") -> dict[str, Json]:
    """All parameters of notebook `stem` in JSON types, defaults overridden by `values`.

    Raises UserError naming the parameter, the value, what is allowed and the nearest valid name.
    """
    prefix = f"{where}: {stem}" if where else stem
    return _validate(notebook_model(stem), dict(values), prefix).model_dump(mode="json")


def read(stem: str, namespace: Mapping[str, Any]) -> Any:
    """The parameters of notebook `stem` as its typed model, read from the variables of its `parameters` cell.

    `namespace` is the notebook's `globals()`. Raises UserError naming the variable that is missing or does not fit.
    """
    model = notebook_model(stem)
    missing = [name for name in model.model_fields if name not in namespace]
    if missing:
        raise UserError(f"{stem}: the parameters cell lacks {', '.join(missing)}")
    return _validate(model, {name: namespace[name] for name in model.model_fields}, stem)


def parse_assignments(stem: str, assignments: Iterable[str]) -> dict[str, Any]:
    """`["level=0.9", "articles=[337]"]` of a command line as values: each right side is read as YAML.

    Article sets are text, so a bare number in `articles` becomes one. Raises UserError on a missing `=`.
    """
    values: dict[str, Any] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"{text!r} is not NAME=VALUE")
        try:
            values[name] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError) as error:
            raise UserError(f"{stem}: {name} = {value!r}: {' '.join(str(error).split())}") from None
        if name == "articles" and isinstance(values[name], list):
            values[name] = [str(item) for item in values[name]]
    return values


def _validate(model: type[M], values: dict[str, Any], where: str) -> M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_explain(model, item, where) for item in error.errors()]
        raise UserError("\n".join(lines)) from None


def _explain(model: type[BaseModel], item: Mapping[str, Any], where: str) -> str:
    name = ".".join(str(part) for part in item["loc"])
    first = str(item["loc"][0]) if item["loc"] else ""
    if item["type"] == "extra_forbidden":
        return f"{where}: {name}: unknown parameter{_suggest(first, model.model_fields)}"
    if item["type"] == "missing":
        return f"{where}: {name}: missing"
    message = item["msg"].removeprefix("Value error, ")
    if not item["loc"]:
        return f"{where}: {message}"
    field = model.model_fields.get(first)
    hint = f" ({field.description})" if field is not None and field.description else ""
    return f"{where}: {name} = {item['input']!r}: {message[0].lower()}{message[1:]}{hint}"


def _suggest(word: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return (f"; did you mean {near[0]!r}?" if near else "") + f" (there are: {', '.join(known) or 'none'})"
