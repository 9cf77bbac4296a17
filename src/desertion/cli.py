"""The command line: thin. Each command imports what it needs, so that `desertion --help` and a no-op build stay fast."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from desertion.project import DATA, NOTEBOOKS, UserError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 on success, 1 on a user's mistake, 2 on a refusal or a wrong call, 130 when interrupted."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.command(arguments) or 0)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="desertion", description="AWOL and desertion convictions in the Russian military.", allow_abbrev=False
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, function: Any, summary: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        command.set_defaults(command=function)
        return command

    check = add("check", _check, "validate data/: one line a fault, status 1 where there is one")
    check.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="another folder")
    check.add_argument("--json", action="store_true", help="the faults as JSON")

    fmt = add("fmt", _fmt, "mend byte-order marks, line ends, quoting and order in data/")
    fmt.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="another folder")

    build = add("build", _build, "build the report of an edition; what is up to date is left alone")
    build.add_argument("edition", nargs="?", default="default", help="name of a file in editions/ (default)")
    build.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, help="notebooks at a time (all cores)")

    run = add("run", _run, "run one notebook through papermill")
    run.add_argument("notebook", type=Path, help="a notebook, or its name in notebooks/")
    run.add_argument("output", type=Path, nargs="?", help="executed copy (build/runs/NAME.ipynb)")
    run.add_argument("--edition", default="default", help="edition whose parameters are used (default)")
    run.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="override one")

    add("accept", _accept, "renew the stored notebook outputs and plots/, and print what changed")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _check(arguments: argparse.Namespace) -> int:
    from desertion import figures

    faults = figures.check(arguments.data)
    if arguments.json:
        print(json.dumps([fault.as_dict() for fault in faults], ensure_ascii=False, indent=1))
    else:
        for fault in faults:
            print(fault)
    return 1 if faults else 0


def _fmt(arguments: argparse.Namespace) -> int:
    from desertion import figures

    for name in figures.fmt(arguments.data):
        print(f"mended {name}")
    return 0


def _build(arguments: argparse.Namespace) -> int:
    from desertion import build

    return build.main(arguments.edition, jobs=arguments.jobs)


def _run(arguments: argparse.Namespace) -> int:
    from desertion import build

    notebook: Path = arguments.notebook
    if not notebook.is_file() and not notebook.suffix:
        notebook = NOTEBOOKS / f"{notebook}.ipynb"
    return build.run_one(notebook, arguments.output, edition=arguments.edition, assignments=arguments.parameter)


def _accept(arguments: argparse.Namespace) -> int:
    from desertion import build

    return build.accept()
