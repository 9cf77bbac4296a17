"""Which number holds: renderings of one count grouped, identities checked, every conflict with its choice and rule."""

from desertion.reconcile.identity import identities, prints
from desertion.reconcile.ledger import Headline, facts, headline, latest, ledger
from desertion.reconcile.presented import conflicts
from desertion.reconcile.readings import Reconciler
from desertion.reconcile.series import by_period, by_year, national, revised, summed, together

__all__ = [
    "Headline",
    "Reconciler",
    "by_period",
    "by_year",
    "conflicts",
    "facts",
    "headline",
    "identities",
    "latest",
    "ledger",
    "national",
    "prints",
    "revised",
    "summed",
    "together",
]
