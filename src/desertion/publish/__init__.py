"""Publishes plots: shows and saves each with its table, words and sources, in the same bytes everywhere."""

from desertion.publish.printed import printed
from desertion.publish.show import Published, render, show
from desertion.publish.stored import LOCK, lock

__all__ = ["LOCK", "Published", "lock", "printed", "render", "show"]
