"""Which number holds: renderings of one count grouped, identities checked, every conflict with its choice and rule."""

from desertion.reconcile.identity import broken, identities, prints, would_break
from desertion.reconcile.ledger import Headline, facts, headline, latest, ledger
from desertion.reconcile.places import by_place, leading, listed_together
from desertion.reconcile.presented import conflicts
from desertion.reconcile.readings import Reconciler
from desertion.reconcile.series import by_period, by_year, national, revised, together

__all__ = [
    "Headline", "Reconciler", "broken", "by_period", "by_place", "by_year", "conflicts", "facts", "headline",
    "identities", "latest", "leading", "ledger", "listed_together", "national", "prints", "revised", "together",
    "would_break",
]  # fmt: skip
