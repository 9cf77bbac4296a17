"""Statements of an edition as text for the page, its table and the cards, there and in notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from desertion import reconcile, vocabulary
from desertion.figures.details import covers
from desertion.reconcile.presented import in_words
from desertion.text import link, listed, number, period, visible

if TYPE_CHECKING:
    from desertion.figures import Data

Entry = dict[str, Any]

_FIELDS = {
    "period_start": "start of the period", "period_end": "end of the period", "cumulative": "running total",
    "per": "base",
}  # fmt: skip
_UNITS = {"percent": " %", "times": " times", "months": " months", "per_1000": " per 1,000"}


def statements(data: Data, rule: str) -> list[Entry]:
    """Every figure and every statement of the context, as text, in the order of the files.

    `printed` is the number on its page (before corrections), `value` the number used. `rivals`: other readings of the
    same count by `reconcile.ledger` under `rule`; `same`: ids of other statements of the same fact. Blank entries and
    unsafe links are left out.
    """
    corrections: dict[str, list[Entry]] = {}
    for row in _records(data.corrections):
        corrections.setdefault(str(row["figure_id"]), []).append(row)
    rivals = _rivals(data, rule)
    same: dict[str, list[str]] = {}
    for name, fact in data.figures["fact"].items():
        same.setdefault(str(fact), []).append(str(name))
    columns = data.sources[["title", "archived", "retrieved"]].assign(published=data.sources["published_text"])
    columns["retrieved"] = columns["retrieved"].dt.strftime("%Y-%m-%d").fillna("")
    pages = {str(source): page for source, page in zip(columns.index, _records(columns), strict=True)}
    rows = []
    for kind, frame in (("figure", data.figures), ("context", data.context)):
        for row in _records(frame.reset_index()):
            one = _row(kind, row, corrections.get(str(row["id"]), []), pages[str(row["source_id"])])
            one["same"] = [each for each in same.get(row.get("fact", ""), ()) if each != row["id"]]
            one["rivals"] = rivals.get(str(row["id"]), [])
            rows.append({key: value for key, value in one.items() if value not in ("", [], None, False)})
    return rows


def _records(frame: pd.DataFrame) -> list[Entry]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def events(data: Data) -> list[Entry]:
    """The dated events that plots mark, in the shape of `statements`."""
    return [
        {
            "id": str(name),
            "kind": "event",
            "printed": visible(str(row["title"])),
            "measure": vocabulary.EVENT_KINDS.get(str(row["kind"]), str(row["kind"])),
            "period": f"{row['date']:%Y-%m-%d}",
            "publisher": visible(str(data.sources.at[row["source_id"], "printed_by"])),
            "url": link(str(data.sources.at[row["source_id"], "url"])),
            "published": str(data.sources.at[row["source_id"], "published_text"]),
            "note": visible(str(row["note"])),
        }
        for name, row in data.events.iterrows()
    ]


def printed(row: Mapping[str, Any]) -> str:
    """The number as its page prints it, with its qualifier: `more than 700`, `33.3 %`, `34 to 35`."""
    bound, low, high = str(row["bound"]), float(row.get("low", "nan")), float(row.get("high", "nan"))
    if low < high:
        return f"{number(low)} to {number(high)}{_UNITS.get(str(row['unit']), '')}"
    hedge = str(row["hedge"]) or ("" if bound == "exact" else bound.replace("_", " "))
    return f"{hedge} {number(float(row['value']))}{_UNITS.get(str(row['unit']), '')}".strip()


def _row(kind: str, row: Mapping[str, Any], corrections: Iterable[Mapping[str, Any]], page: Mapping[str, str]) -> Entry:
    corrections = list(corrections)
    # Corrections of one cell follow each other: the first has the number as printed.
    original = {str(each["field"]): each["printed"] for each in reversed(corrections)}
    measure = str(row["measure"])
    per = str(row["per"])
    what = vocabulary.MEASURES.get(measure, measure)
    share = "" if row["kind"] == "count" else f"{row['kind']} of "
    base = f", over {row['base']}" if row["base"] else ""
    of = covers(row)
    return {
        "id": str(row["id"]),
        "kind": kind,
        "printed": visible(printed({**row, **original})),
        "value": float(row["value"]),
        "bound": str(row["bound"]),
        "hedge": visible(str(row["hedge"])),
        "measure": visible(
            f"{share}{what}{f', {vocabulary.PERS.get(per, per)}' if per else ''}{base}{f': {of}' if of else ''}"
        ),
        "what": visible(what),
        "articles": visible(_articles(str(row["articles"])) if "articles" in row else ""),
        "numbers": str(row["articles"]).split("+") if str(row.get("articles", "")).startswith("3") else [],
        "topic": visible(vocabulary.TOPICS.get(str(row["topic"]), str(row["topic"]))) if "topic" in row else "",
        "scope": visible(of),
        "counted": "" if pd.isna(row["counted_on"]) else f"{row['counted_on']:%Y-%m-%d}",
        "courts": "" if pd.isna(row["courts_share"]) else f"{number(row['courts_share'])} % of the courts",
        "period": period(row["period_start"], row["period_end"]),
        "start": f"{row['period_start']:%Y-%m-%d}",
        "end": f"{row['period_end']:%Y-%m-%d}",
        "cumulative": bool(row["cumulative"]),
        "compiler": visible(str(row["compiler"])),
        "publisher": visible(str(row["printed_by"])),
        "url": link(str(row["url"])),
        "title": visible(page["title"]),
        "archived": link(page["archived"]),
        "retrieved": page["retrieved"],
        "source": str(row["source_id"]),
        "published": visible(page["published"]),
        "locator": visible(str(row["locator"])),
        "note": visible(str(row["note"])),
        "status": str(row["status"]),
        "reason": visible(str(row["status_reason"])),
        "audit": str(row.get("audit", "")),
        "corrections": [_correction(each) for each in corrections],
    }


def _articles(articles: str) -> str:
    label = vocabulary.articles_label(articles)
    return label[:1].upper() + label[1:]


def _correction(row: Mapping[str, Any]) -> str:
    field = str(row["field"])
    cells = (str(row[side]) for side in ("printed", "corrected"))
    old, new = (vocabulary.MEASURES.get(cell, cell.replace("_", " ")) or "blank" for cell in cells)
    reason = f", since {row['reason']}" if row["reason"] else ""
    return visible(f"{_FIELDS.get(field, field.replace('_', ' '))}: printed {old}, read as {new}{reason}")


def _rivals(data: Data, rule: str) -> dict[str, list[Entry]]:
    """For each figure its conflicts: the subject, the other readings, the one chosen and the reason."""
    conflicts: dict[str, list[Entry]] = {}
    for row in reconcile.ledger(data, rule=rule):
        for reading in row["readings"]:
            for number_ in reading["figure_ids"]:
                conflicts.setdefault(number_, []).append(
                    {
                        "about": visible(row["title"]),
                        "others": list(_others(row, number_)),
                        "chosen": row["chosen"] or "",
                        "because": row["because"],
                    }
                )
    return conflicts


def _others(conflict: Mapping[str, Any], this: str) -> Iterator[Entry]:
    for reading in conflict["readings"]:
        if this in reading["figure_ids"]:
            continue
        who = listed([reading["compiler"]]) or listed(reading["publishers"])
        yield {"text": visible(f"{in_words(reading)}, {who}"), "ids": reading["figure_ids"]}
