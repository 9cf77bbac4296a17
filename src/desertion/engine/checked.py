"""The data, validated once for each content: builds, runs and sweeps ask here before a kernel starts."""

from __future__ import annotations

import contextlib

from desertion.engine import receipt
from desertion.errors import UserError
from desertion.project import BUILD, DATA, file_digest, write_atomic

#: Holds the digest of what passed last.
PASSED = BUILD / "data.passed"
_SHOWN = 20


def demand(inputs: receipt.Key) -> None:
    """Raises UserError with the faults of the data of these `inputs`; what has passed is not validated again."""
    content = receipt.data_key(inputs)
    if PASSED.is_file() and PASSED.read_text(encoding="utf-8") == content:
        return
    from desertion import figures

    faults = [str(fault) for fault in figures.check(DATA)]
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more (`desertion check`)"] if len(faults) > _SHOWN else []
        raise UserError("\n".join([*faults[:_SHOWN], *more]))
    now = {name: file_digest(DATA / name.removeprefix("data/")) for name in inputs if name.startswith("data/")}
    if now.items() <= inputs.items():  # else somebody saved a file meanwhile: the kernels that read it will say so
        with contextlib.suppress(OSError):  # what is to be built there will say so
            write_atomic(PASSED, content)
