"""Releases: what is refused, the archive, and the registered forecasts."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import zipfile
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pandas as pd
import pytest
import yaml
from support import pages

from desertion import __version__, figures, git, params, registered
from desertion.csv_models.scores import score_file
from desertion.engine.receipt import Entry, Receipt
from desertion.errors import UserError
from desertion.project import ROOT, digest
from desertion.release import about, archive, crate
from desertion.report import verification

CFF = json.loads((Path(__file__).parent / "schemas" / "cff-1.2.0.json").read_text(encoding="utf-8"))
FORECAST = """kind,period_start,period_end,median,low95,high95,low80,high80,low50,high50,note,ids
fit,2025-05-01,2025-05-31,700,300,1500,,,,,,F085 F147
forecast,2025-06-01,2025-06-30,710,270,1600,400,1200,520,940,,F085 F147
forecast,2025-07-01,2025-07-31,700,230,2100,350,1400,500,1000,,F085 F147
"""
FIGURES = figures.load().figures


# --- one version -----------------------------------------------------------------------------------------------------


def test_the_citation_of_a_release_is_valid() -> None:
    text = about.cff("2026-11-29")
    content = yaml.load(text, Loader=yaml.BaseLoader)  # dates as text
    jsonschema.Draft7Validator(CFF).validate(content)
    assert (content["version"], content["date-released"]) == (__version__, "2026-11-29")


def test_the_citation_in_the_repository_is_valid_and_leaves_the_version_to_the_package() -> None:
    content = yaml.load(about.FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    jsonschema.Draft7Validator(CFF).validate(content)
    assert "version" not in content
    assert f'"{__version__}"' not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_a_version_in_the_citation_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about, "FILE", tmp_path / "CITATION.cff")
    about.FILE.write_text("title: A\nauthors:\n  - name: B\nversion: 9.9.9\n")
    with pytest.raises(UserError, match="remove version"):
        about.citation()


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one commit, in the place of the project's."""
    monkeypatch.setattr(git, "ROOT", tmp_path)
    (tmp_path / "a.txt").write_text("one\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "one"]):
        run(tmp_path, *words)
    return tmp_path


def run(place: Path, *words: str) -> None:
    command = ["git", "-C", str(place), "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
    subprocess.run(command, check=True, capture_output=True)


def test_a_tag_that_exists_is_refused(repository: Path) -> None:
    run(repository, "tag", about.TAG)
    with pytest.raises(UserError, match=f"the tag {about.TAG} exists: raise __version__"):
        archive.make()


def test_what_is_not_committed_is_refused(repository: Path) -> None:
    (repository / "a.txt").write_text("two\n")
    (repository / "b.txt").write_text("new\n")
    with pytest.raises(UserError, match=r"^a.txt and 1 more: commit it"):
        archive.make()


def test_a_release_over_an_existing_folder_is_refused(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "RELEASES", tmp_path_factory.mktemp("release"))
    (archive.RELEASES / __version__).mkdir()
    with pytest.raises(UserError, match="exists: remove it, or raise __version__"):
        archive.make()


def test_a_failing_check_is_refused(repository: Path, tiny_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(repository, "add", "-A")
    run(repository, "commit", "-q", "-m", "data")
    monkeypatch.setattr(archive, "RELEASES", repository.parent / "release")
    monkeypatch.setattr(archive, "DATA", tiny_data)
    monkeypatch.setattr(
        archive.figures, "check", lambda folder: [f"{folder.name}/figures.csv:2: value 'x': is no number"]
    )
    with pytest.raises(UserError, match=r"the first: data/figures\.csv:2: value 'x'"):
        archive.make()
    assert not archive.RELEASES.exists()


@pytest.mark.parametrize(
    ("failing", "named"), [("the outputs", True), ("the tests", True), ("nothing", True), ("nothing", False)]
)
def test_nothing_is_written_where_outputs_are_not_accepted_or_a_test_fails(
    failing: str,
    named: bool,
    repository: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = tmp_path_factory.mktemp("build")
    monkeypatch.setattr(archive, "RELEASES", place / "release")
    monkeypatch.setattr(archive, "DATA", ROOT / "tests" / "tiny_data")
    monkeypatch.setattr(archive.merged, "faults", list)
    monkeypatch.setattr(archive, "CHANGELOG", place / "CHANGELOG.md")
    (place / "CHANGELOG.md").write_text(f"# Releases\n\n## {__version__}\n")
    monkeypatch.setattr(archive, "build", lambda *_, **__: SimpleNamespace(report=place / "report.html"))
    lines = ["not accepted yet: 1 sentence changed", "see"] if failing == "the outputs" else []
    monkeypatch.setattr(archive.changes, "unaccepted", lambda _: lines)
    status = SimpleNamespace(returncode=int(failing == "the tests"))
    known = dataclasses.replace(about.citation(), repository="https://example.org/o/r" if named else "")
    monkeypatch.setattr(about, "citation", lambda: known)
    real = subprocess.run
    monkeypatch.setattr(
        archive.subprocess, "run", lambda words, **how: status if "tools/test.py" in words else real(words, **how)
    )
    monkeypatch.setattr(archive, "write", lambda folder, *_: (folder.mkdir(), (folder / "a.txt").write_text("one")))
    if failing == "nothing":
        new, tag, *rest = archive.make()
        assert f"desertion-{__version__}.zip is new" in new
        assert about.TAG in tag
        assert rest == (
            [] if named else ["CITATION.cff names no repository-code: nothing in the archive leads to the repository"]
        )
        archive_file, sums = sorted((place / "release" / __version__).iterdir())
        assert sums.read_text() == f"{digest(archive_file.read_bytes())}  {archive_file.name}\n"
    else:
        with pytest.raises(UserError, match="not accepted yet" if lines else "a check failed: nothing was released"):
            archive.make()
        assert not (place / "release").exists()


def test_the_last_release_is_the_newest_tag_of_a_version(repository: Path) -> None:
    assert archive.last_tag() == ""
    run(repository, "tag", "v0.0.1")
    run(repository, "tag", "other")
    assert archive.last_tag() == "v0.0.1"


# --- the changelog ---------------------------------------------------------------------------------------------------


def test_the_changed_numbers_are_written_once_and_before_older_releases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "CHANGELOG", tmp_path / "CHANGELOG.md")
    archive.CHANGELOG.write_text("# Releases\n\n## 0.0.1\n\nOld.\n")
    assert archive._note(["growth: 8.2 → 8.3"], "v0.0.1") == archive.CHANGELOG
    text = archive.CHANGELOG.read_text()
    assert text.index(f"## {__version__}") < text.index("8.2 → 8.3") < text.index("## 0.0.1") < text.index("Old.")
    assert archive._note(["another"], "v0.0.1") is None
    assert archive.CHANGELOG.read_text() == text


def test_a_clone_without_the_tags_of_older_releases_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "CHANGELOG", tmp_path / "CHANGELOG.md")
    archive.CHANGELOG.write_text("# Releases\n\n## 0.0.2\n\nOld.\n\n## 0.0.1\n")
    with pytest.raises(UserError, match=r"has the release 0\.0\.2, but no tag of it is here: `git fetch --tags`"):
        archive._note([], "")
    assert __version__ not in archive.CHANGELOG.read_text()
    archive.CHANGELOG.write_text("# Releases\n")
    assert archive._note([], "")
    assert "The first release." in archive.CHANGELOG.read_text()


# --- the archive -----------------------------------------------------------------------------------------------------


def test_the_archive_has_the_same_bytes_twice_and_no_clock(tmp_path: Path) -> None:
    sums = []
    for name in ("one", "two"):
        folder = tmp_path / name / "desertion-1"
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "a.csv").write_text("a\n" * 1000)
        (folder / "README.md").write_text("words")
        (folder / "README.md").touch()
        sums.append(archive.pack(folder, tmp_path / f"{name}.zip"))
    assert sums[0] == sums[1] == digest((tmp_path / "one.zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "one.zip") as packed:
        assert packed.namelist() == ["desertion-1/README.md", "desertion-1/data/a.csv"]
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_release_has_all_files_with_their_checksums(tmp_path: Path) -> None:
    built, folder = tmp_path / "built", tmp_path / "desertion-1"
    built.mkdir()
    pages.render(built)
    archive.write(folder, built, params.edition("default"), "<p>What changed.</p>")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {
        "report.html", "report.pdf", "plots/growth.svg", "plots/growth.csv", "plots/growth.json", "plots/growth.pdf",
        "data/figures.csv", "data/datapackage.json", "notebooks/03-trends.ipynb", "CITATION.cff", "CHANGELOG.md",
        "changes.html", "requirements.lock", "ro-crate-metadata.json",
    } <= names  # fmt: skip
    sums = dict(reversed(line.split("  ")) for line in (folder / archive.SUMS).read_text().splitlines())
    assert sums == {name: digest((folder / name).read_bytes()) for name in names - {archive.SUMS}}
    crate_parts = json.loads((folder / crate.FILE).read_text())["@graph"][1]["hasPart"]
    assert {each["@id"] for each in crate_parts} == names - {archive.SUMS, crate.FILE}
    described = {
        each["@id"] for each in json.loads((folder / crate.FILE).read_text())["@graph"] if "encodingFormat" in each
    }
    assert described >= names - {archive.SUMS, crate.FILE}


def test_the_crate_says_which_notebook_with_which_parameters_made_which_plot(tmp_path: Path) -> None:
    for name in ("plots/growth.svg", "plots/growth.csv", "plots/growth.png", "plots/other.svg", "data/figures.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    entry = Entry(
        {"data/figures.csv": "1", "notebook": "2"}, {"plots/growth.svg": "", "plots/growth.csv": ""}, 3, 1.5, 9
    )
    receipt = Receipt(tmp_path, {"03-trends": entry})
    graph = crate.metadata(tmp_path, params.edition("default"), receipt, "2026-11-29")["@graph"]
    known = {each["@id"]: each for each in graph}
    assert len(known) == len(graph)
    action = known["#run/03-trends"]
    assert action["instrument"] == {"@id": "notebooks/03-trends.ipynb"}
    (author,) = about.citation().authors
    assert (
        action["agent"] == known["./"]["author"]
    )  # one value, as validators of the format recommend, not a list of it
    assert known[action["agent"]["@id"]]["name"] == author
    assert {each["@id"] for each in action["result"]} == {"plots/growth.svg", "plots/growth.csv", "plots/growth.png"}
    objects = [each["@id"] for each in action["object"]]
    assert objects[0] == "data/figures.csv"
    assert known["#03-trends/level"]["value"] == "0.95"
    assert {"#03-trends/level", "#03-trends/articles"} <= set(objects)
    assert known["./"]["conformsTo"]["@id"] in known
    assert all(part["@id"] in known for part in [*known["./"]["hasPart"], *known["./"]["mentions"]])
    assert not re.search(r"1\.5|/tmp", json.dumps(graph))


# --- forecasts -------------------------------------------------------------------------------------------------------


def plots(folder: Path, table: str = FORECAST, day: str = "2025-06-10") -> Path:
    place = folder / "plots"
    place.mkdir(exist_ok=True)
    (place / "forecast.csv").write_text(table)
    (place / "forecast.json").write_text(json.dumps({"edition": {"as_of": day}}))
    return place


def test_a_forecast_is_registered_once(tmp_path: Path) -> None:
    folder = tmp_path / "forecasts"
    path = registered.register(plots(tmp_path), FIGURES, folder)
    assert path == folder / "2025-06-10.csv"
    before = path.read_text()
    assert (
        before.splitlines()[1]
        == '2025-06-10,"criminal cases received by a court, Art. 337, Mediazona",Mediazona,337,cases_received_by_court,'
        "2025-06-01,2025-06-30,quantile,0.025,270"
    )
    assert len(before.splitlines()) == 1 + 2 * 7
    assert registered.register(plots(tmp_path, FORECAST.replace("710", "999")), FIGURES, folder) is None
    assert path.read_text() == before
    assert registered.register(plots(tmp_path, day="2025-07-10"), FIGURES, folder) == folder / "2025-07-10.csv"
    assert registered.changed(folder) == []


def test_the_table_of_the_plot_can_be_registered(tmp_path: Path) -> None:
    table = (Path(__file__).parent / "plot_tables" / "forecast.csv").read_text(encoding="utf-8")
    path = registered.register(plots(tmp_path, table), FIGURES, tmp_path / "forecasts")
    assert path is not None
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1 + 7 * table.count("\nforecast,")


def test_where_no_forecast_is_shown_there_is_no_file(tmp_path: Path) -> None:
    shown = "\n".join(line for line in FORECAST.splitlines() if not line.startswith("forecast,"))
    assert registered.register(plots(tmp_path, shown), FIGURES, tmp_path / "forecasts") is None
    assert not (tmp_path / "forecasts").exists()


def test_the_report_scores_registered_forecasts_by_what_was_counted_later(tmp_path: Path) -> None:
    day, folder = date(2026, 1, 1), tmp_path / "forecasts"
    assert "None: no release has shown" in verification.forecasts(FIGURES, day, folder).text
    registered.register(plots(tmp_path), FIGURES, folder)
    words = verification.forecasts(FIGURES, day, folder).text.replace("\\", "")
    counted = "criminal cases received by a court, Art. 337, Mediazona"
    assert f"2025-06-10 ({counted}, 2025-06-01 to 2025-07-31): 0 of its 2 periods have been counted since." in words
    later = FIGURES.copy()
    june = {"period_start": "2025-06-01", "period_end": "2025-06-30", "scope": "whole", "value": 710.0}
    for column, value in (june | {"known": "2025-06-05"}).items():
        later.loc["F147", column] = pd.Timestamp(value) if column.startswith(("period", "known")) else value
    assert "0 of its 2 periods" in verification.forecasts(later, day, folder).text  # it was public before
    later.loc["F147", "known"] = pd.Timestamp("2025-08-01")
    (one,) = registered.scored(later, folder)
    # twice the mean pinball loss of the seven quantiles at the median
    loss = [(0.025, 270), (0.1, 400), (0.25, 520), (0.25, 230), (0.1, 490), (0.025, 890)]
    expected = 2 * sum(weight * (710 - value if n < 3 else value) for n, (weight, value) in enumerate(loss)) / 7
    assert (one.counted, one.inside, one.wis) == (1, 1, pytest.approx(expected))
    assert "None" in verification.forecasts(FIGURES, date(2024, 1, 1), folder).text  # of an earlier edition


@pytest.mark.parametrize("what", ["edited", "removed", "added", "an odd line"])
def test_a_registered_forecast_that_changed_is_named_and_stops_the_next(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "forecasts"
    path = registered.register(plots(tmp_path), FIGURES, folder)
    assert path
    if what == "edited":
        path.write_text(path.read_text().replace("270", "271"))
    elif what == "removed":
        path.unlink()
    elif what == "added":
        (folder / "2020-01-01.csv").write_text("by hand")
    else:
        with (folder / "forecasts.lock").open("a") as lock:
            lock.write("by hand\n")
    (fault,) = registered.changed(folder)
    assert {"added": "2020-01-01.csv", "an odd line": "forecasts.lock:2"}.get(what, path.name) in str(fault)
    with pytest.raises(UserError, match={"added": "remove it", "an odd line": "back"}.get(what, "never changed")):
        registered.register(plots(tmp_path, day="2025-08-10"), FIGURES, folder)


def test_no_commit_ever_changed_a_registered_forecast() -> None:
    assert registered.changed() == []
    changed = git.text("log", "--format=%h", "--diff-filter=MDR", "--", "forecasts/*.csv")
    assert changed == "", "a registered forecast is never changed"


def test_a_registered_forecast_is_scored_as_it_stands(tmp_path: Path) -> None:
    path = registered.register(plots(tmp_path), FIGURES, tmp_path / "forecasts")
    assert path
    header, *rows = path.read_text().splitlines()
    (tmp_path / "later.csv").write_text("\n".join([f"{header},observed", *(f"{row},800" for row in rows)]) + "\n")
    result = score_file(tmp_path / "later.csv")
    assert result["n"] == 2
    assert float(str(result["wis"])) > 0
