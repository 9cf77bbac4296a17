"""Publishes plots: shows and saves each with its table, words and sources, in the same bytes everywhere."""

from desertion.plots.own import mark
from desertion.plots.own import own_style as style
from desertion.publish.files import lock
from desertion.publish.printed import printed, to_print
from desertion.publish.show import Published, figure, render, show

__all__ = ["Published", "figure", "lock", "mark", "printed", "render", "show", "style", "to_print"]
