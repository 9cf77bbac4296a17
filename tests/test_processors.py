"""The notebooks that fit models give their stored outputs on a processor without AVX, too."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from desertion import notebook as nb
from desertion.project import NOTEBOOKS

RUN = "import sys; from pathlib import Path; from desertion.engine.run import run; run(*map(Path, sys.argv[1:]), {})"


def old_processor() -> dict[str, str]:
    """The environment in which OpenBLAS, numpy and the C library use no instruction newer than SSE4."""
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]["found"]  # type: ignore[index]
    return {
        "OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": " ".join(extensions),
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX,-AVX512F", "DESERTION_MEMO": "off",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="x86 alone has these processors")
@pytest.mark.parametrize("name", ["03-trends", "05-sensitivity", "08-checks"])
def test_a_processor_without_avx_gives_the_stored_outputs(name: str, tmp_path: Path) -> None:
    path, copy = NOTEBOOKS / f"{name}.ipynb", tmp_path / f"{name}.ipynb"
    command = [sys.executable, "-c", RUN, str(path), str(copy)]
    done = subprocess.run(command, env=os.environ | old_processor(), check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    new, stored = (nb.code_cells(nb.read(one)) for one in (copy, path))
    changed = [
        n for n, pair in enumerate(zip(new, stored, strict=True), 1) if len({*map(str, map(nb.outputs, pair))}) > 1
    ]
    assert not changed, f"notebooks/{name}.ipynb: other outputs in code cells {', '.join(map(str, changed))}"
    assert nb.dumps(nb.scrub(nb.read(copy))) == path.read_text(encoding="utf-8")
