"""Which number holds: renderings of one count grouped, identities checked, every conflict with its choice and rule."""

from desertion.reconcile.identity import identities
from desertion.reconcile.ledger import Headline, facts, headline, latest, ledger
from desertion.reconcile.readings import Reconciler

__all__ = ["Headline", "Reconciler", "facts", "headline", "identities", "latest", "ledger"]
