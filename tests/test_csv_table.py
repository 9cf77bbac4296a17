"""A CSV that anybody may have made: what is read, and that every fault is named with its row and value."""

from __future__ import annotations

import contextlib
import itertools
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desertion.csv_models.grid import from_table
from desertion.csv_models.table import MAX_ROWS, CountFile, CountRow, contradictions, read
from desertion.errors import CsvError, UserError
from desertion.trends import Refused
from desertion.trends.grid import Grid

HEADER = "period_start,period_end,value"


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "counts.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def row(start: str, end: str, low: float, high: float | None = None, line: int = 2, **more: str) -> CountRow:
    a, b = date.fromisoformat(start), date.fromisoformat(end)
    return CountRow(line, a, b, low) if high is None else CountRow(line, a, b, None, low, high, **more)


def test_all_columns_are_read_and_others_left_alone(tmp_path: Path) -> None:
    header = "note," + HEADER + ",low,high,bound,series,measure,compiler,force"
    path = write(tmp_path, ",2023-01-01,2023-12-31,4373,4350,4400,about,a,verdicts,Mediazona,1.15e6", header=header)
    table = read(path, "force")
    assert table.exposure == "force"
    start, end = date(2023, 1, 1), date(2023, 12, 31)
    assert table.rows == (CountRow(2, start, end, 4373, 4350, 4400, "about", "a", "verdicts", "Mediazona", 1_150_000),)


def test_a_mark_crlf_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_bytes("\ufeffperiod_start,period_end,value\r\n2023-01-01,2023-01-31,5\r\n\r\n".encode())
    assert [r.value for r in read(path).rows] == [5]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2023-01-01,2023-01-31,-5", "value '-5' is negative"),
        ("2023-01-01,2023-01-31,NaN", "value 'NaN' is not a number"),
        ("2023-01-01,2023-01-31,inf", "value 'inf'"),
        ("2023-01-01,2023-01-31,1_000", "value '1_000'"),
        ("2023-01-01,2023-01-31,5.5", "value '5.5' is not whole"),
        ("2023-01-01,2023-01-31,1000000000000", "value '1000000000000' is larger"),
        ("2023-01-01,2023-01-31,1e400", "value '1e400' is larger"),
        ("2023-01-01,2023-01-31,", "value '' is blank"),
        ("2023-01-01,2023-01-31,five", "value 'five'"),
        ("2023-01-31,2023-01-01,5", "period_end '2023-01-01' is before period_start '2023-01-31'"),
        ("2023-02-30,2023-03-01,5", "period_start '2023-02-30': there is no day 30"),
        ("01/02/2023,2023-03-01,5", "period_start '01/02/2023'"),
        ("20230101,2023-03-01,5", "period_start '20230101'"),
        ('"2023-01-01,2023-01-31,5', "cannot be read as CSV from here on"),
        ("2023-01-01,2023-01-31", "2 cells where the header has 3"),
    ],
)
def test_a_fault_names_its_row_and_value(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path, "2022-12-01,2022-12-31,4", line)
    with pytest.raises(CsvError) as caught:
        read(path)
    assert message in str(caught.value)
    assert "counts.csv" in str(caught.value)
    if "CSV" not in message:
        assert "counts.csv:3 (row 2)" in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("9,4,exact,1", "low '9' is above high '4'"),
        ("9,12,exact,1", "outside its own interval"),
        (",,roughly,1", "bound 'roughly'"),
        ("-1,,exact,1", "low '-1' is negative"),
        (",,exact,", "force '' is missing"),
        (",,exact,0", "force '0'"),
        (",,exact,-3", "force '-3'"),
        (",,exact,1e400", "force '1e400'"),
        (",,exact,many", "force 'many'"),
    ],
)
def test_intervals_bounds_and_exposures_are_checked(tmp_path: Path, cells: str, message: str) -> None:
    path = write(tmp_path, "2023-01-01,2023-01-31,5," + cells, header=HEADER + ",low,high,bound,force")
    with pytest.raises(CsvError, match=r"counts\.csv:2 \(row 1\)") as caught:
        read(path, "force")
    assert message in str(caught.value)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, *["2023-01-01,2023-01-31,-1"] * 30)
    with pytest.raises(CsvError) as caught:
        read(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 10 more"


def test_the_header_the_file_and_its_length_are_checked(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="no column value"):
        read(write(tmp_path, "2023-01-01,2023-01-31", header="period_start,period_end"))
    with pytest.raises(CsvError, match="no column force"):
        read(write(tmp_path, "2023-01-01,2023-01-31,5"), "force")
    with pytest.raises(CsvError, match="value stands twice"):
        read(write(tmp_path, "2023-01-01,2023-01-31,5,5", header=HEADER + ",value"))
    with pytest.raises(CsvError, match="has no rows"):
        read(write(tmp_path))
    with pytest.raises(CsvError, match="cannot be read"):
        read(tmp_path / "none.csv")
    with pytest.raises(CsvError, match="cannot be read"):
        read(tmp_path)
    (tmp_path / "counts.csv").write_bytes(b"")
    with pytest.raises(CsvError, match="no column"):
        read(tmp_path / "counts.csv")
    (tmp_path / "counts.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CsvError, match="UTF-8"):
        read(tmp_path / "counts.csv")
    long = itertools.repeat("2023-01-01,2023-01-31,5", MAX_ROWS + 1)
    with pytest.raises(CsvError, match=f"row {MAX_ROWS + 1}"):
        read(write(tmp_path, *long))


@given(data=st.binary(max_size=200) | st.text(alphabet='0123456789-,."\n', max_size=200).map(str.encode))
@settings(max_examples=150)
def test_any_bytes_are_a_table_or_a_user_error(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / "counts.csv"
    path.write_bytes(HEADER.encode() + b"\n" + data)
    rows: tuple[CountRow, ...] = ()
    with contextlib.suppress(CsvError):
        rows = read(path).rows
    assert all(r.start <= r.end and (r.value or 0) >= 0 for r in rows)


# contradictions


def test_halves_that_exceed_their_year_contradict_it() -> None:
    year = row("2023-01-01", "2023-12-31", 100, line=2)
    first, second = row("2023-01-01", "2023-06-30", 60, line=3), row("2023-07-01", "2023-12-31", 41, line=4)
    assert contradictions([year, first, second]) == (year, first, second)
    assert contradictions([year, first]) == ()
    assert contradictions([year, row("2023-02-01", "2023-03-31", 101, line=5)]) != ()
    assert contradictions([year, row("2023-01-01", "2023-12-31", 101, line=5)]) != ()


def test_running_totals_must_not_fall_and_bounds_are_respected() -> None:
    early, late = row("2022-09-21", "2023-06-30", 500), row("2022-09-21", "2023-12-31", 400, line=3)
    assert contradictions([early, late]) == (early, late)
    floor = CountRow(4, date(2023, 1, 1), date(2023, 3, 31), 600, bound="at_least")
    whole = row("2023-01-01", "2023-12-31", 599, line=5)
    assert contradictions([floor, whole]) == (floor, whole)
    assert contradictions([CountRow(4, date(2023, 1, 1), date(2023, 3, 31), 600, bound="about"), whole]) == ()


def test_rows_of_different_measures_never_contradict() -> None:
    one = CountRow(2, date(2023, 1, 1), date(2023, 12, 31), 5, measure="verdicts")
    other = CountRow(3, date(2023, 1, 1), date(2023, 12, 31), 9, measure="cases")
    assert contradictions([one, other]) == ()


@given(
    counts=st.lists(st.integers(0, 5), min_size=2, max_size=5),
    spans=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(-2, 2), st.integers(0, 2)), max_size=6),
)
@settings(max_examples=200)
def test_contradictions_are_found_exactly_where_no_counts_fit(
    counts: list[int], spans: list[tuple[int, int, int, int]]
) -> None:
    """Against all tables of daily counts."""
    n = len(counts)
    rows = []
    for line, (a, b, shift, slack) in enumerate(spans):
        a, b = min(a, b, n - 1), min(max(a, b), n - 1)
        low = max(sum(counts[a : b + 1]) + shift, 0)
        start, end = date(2023, 1, 1 + a), date(2023, 1, 1 + b)
        rows.append(CountRow(line, start, end, None, low, low + slack))

    def fits(table: tuple[int, ...], some: tuple[CountRow, ...]) -> bool:
        return all(r.limits[0] <= sum(table[r.start.day - 1 : r.end.day]) <= r.limits[1] for r in some)

    def possible(some: tuple[CountRow, ...]) -> bool:
        most = max((int(r.limits[1]) for r in some), default=0)
        return any(fits(table, some) for table in itertools.product(range(min(most, 9) + 1), repeat=n))

    if max((r.limits[1] for r in rows), default=0) > 9:
        return
    cycle = contradictions(rows)
    assert bool(cycle) != possible(tuple(rows))
    if cycle:
        assert not possible(cycle)  # the rows named are enough


def test_ten_thousand_consistent_rows_are_checked_at_once() -> None:
    start = date(1990, 1, 1)
    rows = [CountRow(i, start + timedelta(i), start + timedelta(i), i % 7) for i in range(9_000)]
    rows += [
        CountRow(9_000 + i, start, start + timedelta(9 * i), sum(k % 7 for k in range(9 * i + 1))) for i in range(900)
    ]
    assert contradictions(rows) == ()
    wrong = CountRow(99_999, start, start + timedelta(8_000), 1)
    assert wrong in contradictions([*rows, wrong])


# grids


def grid(tmp_path: Path, *lines: str, header: str = HEADER, unit: str | None = None) -> Grid | Refused:
    return from_table(read(write(tmp_path, *lines, header=header)), unit)


def test_months_quarters_and_years_are_grids_with_gaps_left_open(tmp_path: Path) -> None:
    result = grid(tmp_path, "2023-01-01,2023-01-31,5", "2023-02-01,2023-02-28,6", "2023-06-01,2023-06-30,7")
    assert isinstance(result, Grid)
    assert (result.months, result.unit, result.index.tolist()) == (1, "month", [1, 2, 6])
    assert result.end(2) == date(2023, 2, 28)
    quarters = grid(tmp_path, "2023-01-01,2023-03-31,5", "2023-04-01,2023-06-30,6")
    assert isinstance(quarters, Grid)
    assert quarters.unit == "quarter"
    years = grid(tmp_path, "2021-01-01,2021-12-31,527", "2022-01-01,2022-12-31,887", unit="year")
    assert isinstance(years, Grid)
    assert years.ahead(2).tolist() == [3, 4]
    assert years.years()[0] == (date(2021, 1, 1), date(2021, 12, 31), [0])


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        (("2023-01-01,2023-12-31,5", "2023-06-01,2024-05-31,6"), HEADER, "overlaps"),
        (("2023-01-01,2023-02-01,5", "2023-02-01,2023-03-01,6"), HEADER, "both days belong"),
        (("2023-01-01,2023-01-31,5", "2023-02-01,2023-03-31,6"), HEADER, "2 months among periods of 1"),
        (("2023-01-02,2023-01-31,5",), HEADER, "whole months"),
        (("2023-01-01,2023-03-31,5", "2023-05-01,2023-07-31,5"), HEADER, "whole number of periods"),
        (("2023-01-01,2023-01-31,5,cases", "2023-02-01,2023-02-28,6,verdicts"), HEADER + ",measure", "mixes measures"),
        (("2023-01-01,2023-01-31,5,A", "2023-02-01,2023-02-28,6,B"), HEADER + ",compiler", "mixes compilers"),
        (("2023-01-01,2023-01-31,700,at_least",), HEADER + ",bound", "is a bound, not a count"),
        (("2023-01-01,2023-01-31,,4,9",), HEADER + ",low,high", "4 to 9 is a bound"),
        (("2023-01-01,2023-12-31,5", "2023-01-01,2023-12-31,6"), HEADER, "contradict"),
    ],
)
def test_what_is_no_grid_is_refused_with_what_it_needs(
    tmp_path: Path, lines: tuple[str, ...], header: str, message: str
) -> None:
    result = grid(tmp_path, *lines, header=header)
    assert isinstance(result, Refused)
    assert message in result.reason
    assert result.needs
    if "mixes" not in message:
        assert "counts.csv:" in result.reason


def test_dates_out_of_order_and_a_unit_that_is_not_there_are_user_errors(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match=r"counts\.csv:3 \(row 2\): period_start '2022-01-01'"):
        grid(tmp_path, "2023-01-01,2023-12-31,5", "2022-01-01,2022-12-31,6")
    with pytest.raises(UserError, match="12 months long"):
        grid(tmp_path, "2023-01-01,2023-12-31,5", unit="month")
    with pytest.raises(UserError, match="fortnight"):
        grid(tmp_path, "2023-01-01,2023-12-31,5", unit="fortnight")


def test_a_message_names_the_table_and_both_numbers_of_a_row() -> None:
    table = CountFile("f.csv", (row("2023-01-01", "2023-12-31", 5),))
    assert table.where(table.rows[0]) == "f.csv:2 (row 1)"


def test_a_row_is_named_by_its_line_in_the_file_where_notes_hold_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text(
        'period_start,period_end,value,note\n2023-01-01,2023-01-31,10,"one\ntwo"\n2023-02-01,2023-02-28,x,\n'
    )
    with pytest.raises(CsvError, match=r"notes\.csv:4 \(row 2\): value 'x' is not a number"):
        read(path)


def test_semicolons_and_utf_16_are_read_and_a_look_alike_letter_in_the_header_is_named(tmp_path: Path) -> None:
    text = "period_start;period_end;value\n2023-01-01;2023-01-31;10\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(text.encode(encoding))
        assert read(path).rows[0].value == 10
    path.write_text(text.replace("value", "vаlue").replace(";", ","), encoding="utf-8")
    with pytest.raises(CsvError, match=r"did you mean 'value'.*CYRILLIC SMALL LETTER A"):
        read(path)
