"""The command line: thin. A command imports only what it needs, so help and a build with nothing to do are fast."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from desertion.csv_models import commands as counts
from desertion.errors import UserError
from desertion.project import DATA, demand_clone, relative, resolved
from desertion.text import listed, print_json, shown, visible, visible_lines


def command() -> int:
    """Run the command of this process. Told to end, or when `make` is killed, it clears up as after Ctrl-C."""
    ended: list[int] = []

    def end(number: int, _: object) -> None:
        ended.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` ignores the second
            signal.signal(number, end)
    if os.environ.get("MAKELEVEL"):
        from desertion.engine.surroundings import end_with_parent

        end_with_parent(signal.SIGTERM)
    status = main()
    for received in ended:  # whoever sent it learns that it worked
        signal.signal(received, signal.SIG_DFL)
        os.kill(os.getpid(), received)
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 on success, 1 on a user's mistake, 2 on a refusal or a wrong call, 130 when interrupted."""
    given = sys.argv[1:] if argv is None else list(argv)
    arguments = _parser().parse_args(given)
    try:
        demand_clone()
        _demand_text(given)
        return int(arguments.command(arguments) or 0)
    except UserError as error:
        print(visible_lines(str(error)), file=sys.stderr)
        return int(arguments.mistake)
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("desertion"):
            raise
        print(_lacks(error.name), file=sys.stderr)
        return int(arguments.mistake)
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a full disk, a folder that is not writable, a name that is too long
        where = f"{relative(Path(os.fsdecode(error.filename)))}: " if error.filename else ""
        print(visible_lines(f"{where}{error.strerror or error}"), file=sys.stderr)
        return int(arguments.mistake)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="desertion", description="AWOL and desertion convictions in the Russian military.", allow_abbrev=False
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, function: Any, summary: str, mistake: int = 1) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        command.set_defaults(command=function, mistake=mistake)
        return command

    def option(command: argparse.ArgumentParser, *names: str) -> None:
        for name in names:
            command.add_argument(f"--{name}", **_OPTIONS[name])

    check = add("check", _check, "validate data/ and what is stored: one line per fault, status 1 if there is any")
    option(check, "data", "json")
    option(add("fmt", _fmt, "mend byte-order marks, line ends, quoting and order in data/"), "data")
    new_row = add("add", _add, "add a statement, or those of a spreadsheet: checked and shown, then written")
    new_row.add_argument(
        "cells", nargs="*", metavar="COLUMN=VALUE", help="of figures.csv, and of its page if it is new"
    )
    new_row.add_argument("--from", dest="table", type=Path, metavar="FILE", help="rows of a spreadsheet, saved as CSV")
    new_row.add_argument("--dry-run", action="store_true", help="show what would be written and write nothing")
    new_row.epilog = "What follows from the fact may be left out; what is missing is asked for on a terminal."
    option(new_row, "data")
    second = add("confirm", _confirm, "a second reader types value and period of a statement again; status 3: another")
    second.add_argument("id", metavar="ID")
    second.add_argument("value", metavar="VALUE")
    second.add_argument("period", metavar="FIRST..LAST", nargs="?", help="2026-01-01..2026-01-31; else asked for")
    option(second, "data")

    build = add("build", _build, "build the report of an edition; what is up to date is left alone")
    option(build, "edition", "jobs", "explain", "cold")
    run = add("run", _run, "run one notebook through papermill")
    run.add_argument("notebook", type=Path, help="a notebook, or its name in notebooks/")
    run.add_argument("output", type=Path, nargs="?", help="executed copy (build/runs/NAME.ipynb)")
    run.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="override one")
    option(run, "edition", "cold")
    new = add("new", _new, "write the skeleton of a new notebook into notebooks/")
    new.add_argument("what", choices=["notebook"])
    new.add_argument("name", metavar="NAME", help="by-region, say: the next number is put before it")
    accept = add("accept", _accept, "renew the stored notebook outputs and plots/, and print what changed")
    accept.add_argument("--dry-run", action="store_true", help="print what would change and store nothing")
    accept.add_argument("--editions", action="store_true", help="build all editions, store the history of each number")
    option(accept, "jobs")
    diff = add("diff", _diff, "what changed between two states, from sentences to packages; status 3 if anything did")
    states = "a git revision, edition:NAME, or . for what is on disk"
    diff.add_argument("old", metavar="OLD", nargs="?", default="HEAD", help=f"{states} (HEAD)")
    diff.add_argument("new", metavar="NEW", nargs="?", default=".", help="the same (.)")
    diff.epilog = "At most 40 lines are printed; the whole is written to build/diff.html, without --json."
    option(diff, "json")

    pictures = add(
        "plots", _plots, "build an edition and write its plots for print: PNG at 300 dpi and PDF, with SVG and CSV"
    )
    pictures.add_argument("folder", type=Path, metavar="DIR", help="folder to write into")
    option(pictures, "edition", "jobs")

    site = add("site", _site, "build every edition and make the site, build/site/, from them")
    site.add_argument("--address", default="", metavar="URL", help="where it will stand (url of CITATION.cff)")
    site.add_argument("--repository", default="", metavar="URL", help="of the code (repository-code of CITATION.cff)")
    option(site, "jobs")

    option(add("release", _release, "make the archive of this version, build/release/VERSION/"), "jobs")

    sweep = add("sweep", _sweep, "run a notebook or function with many parameter sets; status 10 + how many failed")
    sweep.add_argument("spec", type=Path, metavar="SPEC.yml", help="notebook or function, and grid or list")
    where = (
        "of a dask.distributed cluster, tls://… with certificates of the dask configuration; who reaches it runs code"
    )
    sweep.add_argument("--scheduler", default="", metavar="ADDRESS", help=where)
    sweep.epilog = "SPEC.yml holds notebook or function, grid or list, and may hold parameters, edition, timeout, keep."
    option(sweep, "jobs", "cold")

    conflicts = add("conflicts", _conflicts, "the ledger: where pages disagree, what is chosen, and by which rule")
    option(conflicts, "edition", "json")
    option(add("claims", _claims, "published claims, recomputed, with their verdicts"), "edition", "json")

    # what these cannot answer is a refusal
    interval = add("interval", counts.interval, "exact interval of a Poisson rate: X events in exposure T", 2)
    interval.add_argument("x", type=float, metavar="X")
    interval.add_argument("t", type=float, metavar="T", nargs="?", default=1.0)
    option(interval, "level", "json")
    ratio = add(
        "rate-ratio", counts.rate_ratio, "exact conditional ratio of two Poisson rates: X1 in T1 over X2 in T2", 2
    )
    for name in ("x1", "t1", "x2", "t2"):
        ratio.add_argument(name, type=float, metavar=name.upper())
    ratio.add_argument("--midp", action="store_true", help="mid-p interval and p-value: less conservative")
    option(ratio, "level", "json")
    fit = add("fit", counts.fit, "fit a model of counts to a CSV; status 2 where it is refused")
    fit.add_argument("file", type=Path, metavar="FILE.csv", help="period_start, period_end, value; optionally more")
    models = "poisson (default), quasi-poisson, nb2, nb1, changepoint, composite"
    fit.add_argument("--model", default="poisson", help=models)
    trends = "constant, linear, quadratic, log, step:DATE, segmented:DATE[,DATE], smooth; joined by +"
    fit.add_argument("--trend", help=trends)
    fit.add_argument("--period-unit", choices=("year", "quarter", "month"))
    fit.add_argument("--exposure", metavar="COLUMN", help="column with the exposure of each period")
    fit.add_argument("--harmonics", type=int, default=0, metavar="K", help="pairs of seasonal harmonics (0)")
    fit.add_argument("--forecast", type=int, default=0, metavar="N", help="periods ahead (0)")
    fit.add_argument("--seed", type=int, default=1, help="of everything drawn at random (1)")
    option(fit, "level", "json")
    score = add("score", counts.score, "scores of quantile or sample forecasts in a CSV", 2)
    score.add_argument("file", type=Path, metavar="FILE.csv")
    option(score, "json")
    return parser


def _lacks(module: str) -> str:
    if module.partition(".")[0] in ("distributed", "dask"):
        return f"this Python lacks '{module}': run `sh tools/install cluster` in the clone, or install '.[cluster]'"
    command = f"{sys.executable} -m pip install -e '.[report]'"
    return f"this Python lacks '{module}': run `{command}` in the clone, or use `make`, which has a Python of its own"


def _demand_renderers() -> None:
    """Raise UserError where what makes the page is not installed: before the notebooks run, not after."""
    for module in ("pypandoc", "typst"):
        if find_spec(module) is None:
            raise UserError(_lacks(module))


def _demand_text(arguments: Sequence[str]) -> None:
    """Raise UserError where an argument holds what no name of a file can hold."""
    for each in arguments:
        try:
            whole = "\0" not in each and bool(os.fsencode(each) or True)
        except UnicodeEncodeError:
            whole = False
        if not whole:
            raise UserError(f"'{shown(each)}' holds a NUL or half of a character: write it without")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


_OPTIONS: dict[str, dict[str, Any]] = {
    "cold": {"action": "store_true", "help": "do not use the cache of fits"},
    "data": {"type": Path, "default": DATA, "metavar": "DIR", "help": "another folder than data/"},
    "edition": {"default": "default", "metavar": "NAME", "help": "a file in editions/ (default)"},
    "explain": {"action": "store_true", "help": "print why each notebook ran or did not"},
    "jobs": {"type": _positive, "default": None, "metavar": "N", "help": "notebooks at a time (all cores)"},
    "json": {"action": "store_true", "help": "as JSON"},
    "level": {"type": float, "default": 0.95, "help": "coverage of intervals (0.95)"},
}


def _check(arguments: argparse.Namespace) -> int:
    from desertion import figures, reconcile

    examined = figures.examine(arguments.data)
    faults = list(examined.faults)
    # without the rows that have faults, others would look odd
    warnings = [] if faults else examined.warnings(reconcile.broken(figures.typed(examined)))
    if resolved(arguments.data) == DATA:
        from desertion import registered
        from desertion.engine import merged

        faults += [*merged.faults(), *registered.changed()]
    if arguments.json:
        print_json([fault.as_dict() for fault in faults] + [{**one.as_dict(), "warning": True} for one in warnings])
    else:
        for fault in faults:
            print(visible(str(fault)))
        for warning in warnings:
            print(visible(f"warning: {warning}"))
        if warnings:
            print(f"{len(warnings)} warnings: look again; what is right gets a row in acknowledged.csv, with a reason")
        if not faults:
            print(visible(figures.unarchived(arguments.data)))
    return 1 if faults else 0


def _fmt(arguments: argparse.Namespace) -> None:
    from desertion import figures

    for name in figures.fmt(arguments.data):
        print(f"mended {name}")


def _add(arguments: argparse.Namespace) -> None:
    from desertion import reconcile
    from desertion.figures import add

    rows = add.read_file(arguments.table) if arguments.table else add.read_cells(arguments.data, arguments.cells)
    proposal = add.propose(arguments.data, rows)
    lines = list(proposal.lines)
    if proposal.data:
        lines += [line for one in proposal.ids for line in reconcile.would_break(proposal.data, one)]
    print(*(f"{visible(line)}\n" for line in lines), sep="", end="")
    asks = sys.stdin.isatty() and not proposal.faults
    if arguments.dry_run or (asks and add.ask("write it? (y)") not in ("", "y", "yes")):
        print("\n".join(["nothing was written", *map(visible, proposal.faults)]))
        return
    print(f"wrote {listed(proposal.write())}: {', '.join(proposal.ids)}")


def _confirm(arguments: argparse.Namespace) -> int:
    from desertion.figures import add

    if not arguments.period and not sys.stdin.isatty():
        raise UserError("the period is missing: write `desertion confirm ID VALUE FIRST..LAST`")
    period = arguments.period or add.ask("period (FIRST..LAST)")
    same, line = add.confirm(arguments.data, arguments.id, arguments.value, period)
    print(visible(line))
    return 0 if same else 3


def _build(arguments: argparse.Namespace) -> int:
    from desertion.engine import build

    _demand_renderers()
    return build.main(arguments.edition, jobs=arguments.jobs, explain=arguments.explain, cold=arguments.cold)


def _run(arguments: argparse.Namespace) -> int:
    from desertion.engine import build

    notebook: Path = arguments.notebook
    if not notebook.is_file() and not notebook.suffix and len(notebook.parts) == 1:
        from desertion import params

        notebook = params.of(str(notebook)).path
    return build.run_one(
        notebook, arguments.output, edition=arguments.edition, assignments=arguments.parameter, cold=arguments.cold
    )


def _new(arguments: argparse.Namespace) -> None:
    from desertion import skeleton

    print(relative(skeleton.notebook(arguments.name)))


def _accept(arguments: argparse.Namespace) -> int:
    from desertion.engine import accept

    _demand_renderers()
    return accept.main(jobs=arguments.jobs, dry_run=arguments.dry_run, editions=arguments.editions)


def _diff(arguments: argparse.Namespace) -> int:
    from desertion import changes

    difference, page = changes.difference(arguments.old, arguments.new)
    if arguments.json:
        print_json(difference.as_json())
    else:
        print(changes.text(difference, page))
    return 3 if difference else 0


def _plots(arguments: argparse.Namespace) -> None:
    from desertion import params, publish
    from desertion.engine import build

    there = next(path for path in (arguments.folder, *arguments.folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UserError(f"{relative(there)}: it is a file, where the plots need a folder")
    place = build.build(params.edition(arguments.edition), jobs=arguments.jobs).report.parent
    for path in publish.printed(place / "plots", arguments.folder):
        print(relative(path))


def _site(arguments: argparse.Namespace) -> None:
    from desertion.release import site

    _demand_renderers()
    print(*site.make(arguments.address, arguments.repository, jobs=arguments.jobs), sep="\n")


def _release(arguments: argparse.Namespace) -> None:
    from desertion.release import archive

    _demand_renderers()
    print(*archive.make(jobs=arguments.jobs), sep="\n")


def _sweep(arguments: argparse.Namespace) -> int:
    from desertion.engine import sweep

    return sweep.main(arguments.spec, jobs=arguments.jobs, scheduler=arguments.scheduler, cold=arguments.cold)


def _edition_data(name: str) -> tuple[Any, Any]:
    """The shared parameters of an edition and the data as that edition knows them."""
    from desertion import figures, params

    edition = params.edition(name)
    return edition, figures.load(as_of=edition.as_of, undated_lag_days=edition.undated_lag_days)


def _conflicts(arguments: argparse.Namespace) -> None:
    from desertion import reconcile

    edition, data = _edition_data(arguments.edition)
    rows = reconcile.ledger(data, rule=edition.rule)
    if arguments.json:
        print_json(rows)
        return
    for row in rows:
        print(visible(f"{row['id']}  {row['title']}"))
        for reading in row["readings"]:
            chosen = set((row["chosen"] or "").split()) & set(reading["figure_ids"])
            mark = "→" if chosen else " "
            period = f"{reading['period_start']} to {reading['period_end']}"
            behind = f"{' '.join(reading['figure_ids'])}; independent sources: {reading['sources']}"
            print(visible(f"   {mark} {reading['value']:,} {reading['measure']}, {period}  [{behind}]"))
        effect = f"; otherwise growth ×{row['effect']:.2f}" if row["effect"] else ""
        print(visible(f"     {row['because']}{effect}"))


def _claims(arguments: argparse.Namespace) -> None:
    from desertion import claims

    _, data = _edition_data(arguments.edition)
    checked = claims.check_claims(data)
    rows = claims.as_json(checked)
    if arguments.json:
        print_json(rows)
        return
    for row, statement in zip(rows, checked["statement"], strict=True):
        number = "" if row["computed"] is None else f" (computed {row['computed']:,.4g})"
        mixed = ", mixes measures" if row["mixed_measures"] else ""
        print(visible(f"{row['id']:8} {row['verdict']}{mixed}: {statement}{number}"))
