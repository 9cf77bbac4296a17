"""Who made which file of a release from what: the metadata of an RO-Crate, by its profile for runs of processes.

Reference: Process Run Crate 0.6 of the Workflow Run RO-Crate profiles, https://w3id.org/ro/wfrun/process/0.6.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from desertion import __version__, params
from desertion.engine.receipt import Receipt
from desertion.params import Edition
from desertion.project import files
from desertion.release import about

FILE = "ro-crate-metadata.json"
_CRATE, _PROFILE = "https://w3id.org/ro/crate/1.3", "https://w3id.org/ro/wfrun/process/0.6"
_KINDS = {
    ".cff": "application/yaml", ".csv": "text/csv", ".html": "text/html", ".ipynb": "application/x-ipynb+json",
    ".json": "application/json", ".lock": "text/plain", ".md": "text/markdown", ".pdf": "application/pdf",
    ".png": "image/png", ".svg": "image/svg+xml", ".yml": "application/yaml", "": "text/plain",
}  # fmt: skip


def metadata(folder: Path, edition: Edition, receipt: Receipt, day: str) -> dict[str, Any]:
    """The content of ro-crate-metadata.json for the files in `folder`, made by the runs of `receipt`; `day`: released.

    Each notebook of the receipt is one action: its instrument is the notebook, its objects are the files of data/ that
    it read and its parameters, its results are the plots that it published.
    """
    names = [path.relative_to(folder).as_posix() for path in files(folder)]
    actions, values = [], []
    for stem, entry in sorted(receipt.notebooks.items()):
        cell = params.cell.of(stem)
        chosen = {name: cell.parameters[name].default for name in cell.names} | edition.overrides(cell)
        its = [_value(f"#{stem}/{name}", name, value) for name, value in chosen.items()]
        values += its
        made = [name for name in names if name.startswith("plots/") and _of(name, entry.outputs)]
        read = [name for name in entry.key if name.startswith("data/")]
        actions.append(
            _action(f"#run/{stem}", f"notebooks/{stem}.ipynb", [*read, *(one["@id"] for one in its)], made, day)
        )
    notebooks = [name for name in names if name.startswith("notebooks/")]
    actions.append(_action("#run/report", "#desertion", notebooks, ["report.html", "report.pdf"], day))
    known = about.citation()
    people = [{"@id": f"#author-{n}", "@type": "Organization", "name": name} for n, name in enumerate(known.authors, 1)]
    authors = [{"@id": each["@id"]} for each in people] if len(people) > 1 else {"@id": people[0]["@id"]}
    actions = [each | {"agent": authors} for each in actions]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": {"@id": _PROFILE},
        "name": known.title,
        "description": about.of_package("")["description"],
        "version": __version__,
        "datePublished": day,
        "license": {"@id": about.LICENCE},
        "author": authors,
        "hasPart": [{"@id": quote(name)} for name in names],
        "mentions": [{"@id": each["@id"]} for each in actions],
    }
    graph: list[dict[str, Any]] = [
        {"@id": FILE, "@type": "CreativeWork", "conformsTo": {"@id": _CRATE}, "about": {"@id": "./"}},
        root,
        {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.6"},
        {"@id": about.LICENCE, "@type": "CreativeWork", "name": "CC BY 4.0"},
        _software(known.repository),
        *people,
        *(_file(folder, name) for name in names),
        *values,
        *actions,
    ]
    context = [f"{_CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
    return {"@context": context, "@graph": graph}


def _of(name: str, outputs: Mapping[str, str]) -> bool:
    """Whether the file `name` is one of `outputs`, or its picture for print."""
    return name in outputs or name.rpartition(".")[0] + ".svg" in outputs


def _software(repository: str) -> dict[str, Any]:
    one = {"@id": "#desertion", "@type": "SoftwareApplication", "name": "desertion", "softwareVersion": __version__}
    return one | ({"url": repository} if repository else {})


def _file(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    one: dict[str, Any] = {"@id": quote(name), "@type": "File", "name": path.name}
    one["contentSize"] = str(path.stat().st_size)
    if path.suffix in _KINDS:
        one["encodingFormat"] = _KINDS[path.suffix]
    if path.suffix == ".ipynb":
        one |= {"@type": ["File", "SoftwareSourceCode"], "version": __version__, "programmingLanguage": "Python"}
    return one


def _value(name: str, label: str, value: object) -> dict[str, Any]:
    return {"@id": name, "@type": "PropertyValue", "name": label, "value": json.dumps(value, ensure_ascii=False)}


def _action(name: str, tool: str, objects: list[str], results: list[str], day: str) -> dict[str, Any]:
    return {
        "@id": name,
        "@type": "CreateAction",
        "name": f"Run of {tool.lstrip('#')}",
        "description": f"{len(results)} files made by {tool.lstrip('#')} from {len(objects)} files and parameters",
        "endTime": day,
        "instrument": {"@id": tool},
        "object": [{"@id": each} for each in objects],
        "result": [{"@id": each} for each in results],
    }
