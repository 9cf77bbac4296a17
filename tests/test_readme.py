"""README.md says what the report says now, and its picture is that of the notebooks."""

import re

from desertion import notebook as nb
from desertion import params
from desertion.project import ROOT
from desertion.release import about

README = (ROOT / "README.md").read_text(encoding="utf-8")
#: A plot in the stored outputs of a notebook, by the title of its SVG.
PLOT = re.compile(r'<title id="([\w-]+)-title"')


def mermaid() -> str:
    """Which files of data/ each notebook reads, and which plots it publishes; files that all read are one node."""
    reads = {path.stem: {name.removesuffix(".csv") for name in params.cell.of(path.stem).reads} for path in nb.paths()}
    common = set.intersection(*reads.values())
    lines = ["```mermaid", "flowchart LR", f'  all[("{"<br>".join(sorted(common))}")]']
    lines += [f'  {name}[("{name}")]' for name in sorted(set.union(*reads.values()) - common)]
    for path in nb.paths():
        lines.append(f"  {' & '.join(['all', *sorted(reads[path.stem] - common)])} --> {path.stem}")
        outputs = [output for cell in nb.code_cells(nb.read(path)) for output in cell.get("outputs", [])]
        svgs = ["".join(output.get("data", {}).get("image/svg+xml", "")) for output in outputs]
        if plots := list(dict.fromkeys(name for svg in svgs for name in PLOT.findall(svg))):
            lines.append(f'  {path.stem} --> plots-{path.stem}["{"<br>".join(plots)}"]')
    lines += [f'  {" & ".join(reads)} --> report["report.html<br>report.pdf"]', "```"]
    return "\n".join(lines)


def test_the_first_sentence_is_the_finding_of_the_report() -> None:
    sentence = about.stored_finding()
    shown = re.search(r"^\*\*(.+?)\*\*$", README, re.MULTILINE | re.DOTALL)
    assert shown
    assert " ".join(shown[1].split()) == " ".join(sentence.split()), f"write in README.md: **{sentence}**"


def test_the_picture_of_data_notebooks_and_plots_is_that_of_the_code() -> None:
    assert mermaid() in README, f"write in README.md:\n{mermaid()}"


def test_every_file_that_the_documents_link_to_is_there() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "forecasts/README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for link in re.findall(r"\]\((?!https?:|\.\./\.\./|#)([^)]+)\)", text):
            assert (ROOT / name).parent.joinpath(link).exists(), f"{name}: {link}"
