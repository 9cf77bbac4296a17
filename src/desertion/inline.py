"""How a kernel shows what a cell draws or ends with: the same bytes each time for the same content.

Figures of matplotlib, with which seaborn and pandas draw, come as SVG with fixed ids, without a date and with words for
those who cannot see them; Stylers with ids made from their content; objects without their address in memory. Nothing
here imports matplotlib or pandas: a cell does that uses them.
"""

from __future__ import annotations

import contextlib
import re
import sys
import traceback
from typing import Any

from desertion.project import digest

#: Makes the ids in an SVG the same each time.
SALT = "desertion"
_BACKEND = {
    "figure_formats": {"svg"},
    "print_figure_kwargs": {"bbox_inches": "tight", "metadata": {"Date": None}},
}
_ADDRESS = re.compile(r" at 0x[0-9a-f]+\b")


def set_up(shell: Any) -> None:
    """Let the kernel of `shell` show the same bytes for the same content.

    A cell may choose another format for its figures, `%config InlineBackend.figure_format = "png"` say.
    """
    from IPython.core.formatters import DisplayFormatter
    from IPython.core.pylabtools import activate_matplotlib

    class SameEachTime(DisplayFormatter):
        """Shows figures with fixed ids, whatever style is in use, and objects without their address."""

        def format(self, shown: Any, include: Any = None, exclude: Any = None) -> Any:
            figures = sys.modules.get("matplotlib.figure")
            if figures is not None and isinstance(shown, figures.Figure):
                with sys.modules["matplotlib"].rc_context({"svg.hashsalt": SALT}):
                    data, metadata = super().format(shown, include, exclude)  # type: ignore[no-untyped-call]
                alt = words(shown)
                for kind in [kind for kind in data if alt and kind.startswith("image/")]:
                    metadata[kind] = {**metadata.get(kind, {}), "alt": alt}
            else:
                data, metadata = super().format(shown, include, exclude)  # type: ignore[no-untyped-call]
            if isinstance(plain := data.get("text/plain"), str):
                data["text/plain"] = _ADDRESS.sub("", plain)
            return data, metadata

    shell.display_formatter.__class__ = SameEachTime  # what others registered with it stays
    shell.display_formatter.formatters["text/html"].for_type_by_name("pandas.io.formats.style", "Styler", _styler)
    shell.config.InlineBackend.update(_BACKEND)  # the backend reads it when the first cell draws
    show = shell.showtraceback

    def show_error(exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show an error as IPython does, also one that it only prints: `%%capture` would hide that."""
        kind, error, trace = exc_tuple or sys.exc_info()
        shell._last_traceback = None
        if not _has_group(error):
            with contextlib.suppress(Exception):  # of an error whose own words cannot be made
                show(exc_tuple, *args, **kwargs)
        if error is not None and shell._last_traceback is None:
            lines = shell.InteractiveTB.structured_traceback(kind, error, trace)
            words = traceback.format_exception_only(error)[-1].strip().partition(": ")[2]
            shell._showtraceback(kind, words, [*lines, "".join(traceback.format_exception(error))])

    shell.showtraceback = show_error
    shell.show_usage_error = lambda error: shell._showtraceback(type(error), error, [f"UsageError: {error}"])
    if loaded := sys.modules.get("matplotlib_inline.backend_inline"):
        backend = loaded.InlineBackend.instance(parent=shell)
        for name, value in _BACKEND.items():
            setattr(backend, name, value)
        if backend.shell is None:  # a forked kernel has it from a process without a shell, which could not hook it
            name = sys.modules["matplotlib"].get_backend()
            activate_matplotlib(name)  # type: ignore[no-untyped-call]
            loaded.configure_inline_support(shell, name)


def _has_group(error: BaseException | None) -> bool:
    return error is not None and (isinstance(error, BaseExceptionGroup) or _has_group(error.__context__))


def words(figure: Any) -> str:
    """What a figure of matplotlib shows, for those who cannot see it: titles, axes and legends."""
    parts = [figure.get_suptitle()]
    for axes in figure.axes:
        legend = axes.get_legend()
        named = {
            "": axes.get_title(),
            "x: ": axes.get_xlabel(),
            "y: ": axes.get_ylabel(),
            "legend: ": ", ".join(each.get_text() for each in legend.get_texts()) if legend else "",
        }
        parts.append("; ".join(f"{name}{' '.join(text.split())}" for name, text in named.items() if text.strip()))
    return ". ".join(dict.fromkeys(filter(None, parts)))


def _styler(styler: Any) -> str:
    """A Styler's HTML with ids made from its content, which pandas draws at random."""
    content = styler.to_html(table_uuid="x")
    html: str = styler.to_html(table_uuid=digest(content)[:8])
    return html
