"""The claims that pages make about the figures (data/claims.csv), recomputed, each with a verdict.

The verdict compares the recomputed value, widened only by the rounding of its inputs, with what the claim's words admit
(`hedges`). The exact interval of the value, which `desertion claims --json` prints, never decides: it measures how far
counts vary by chance, not whether the arithmetic of a page is right. 8.30 is less than "almost ninefold" admits,
whatever its interval.
"""

from desertion.claims.presented import in_words
from desertion.claims.recompute import Claim
from desertion.claims.verdict import as_json, check_claims

__all__ = ["Claim", "as_json", "check_claims", "in_words"]
