"""The rules of requests: what is asked, the moves, the deadlines, the answers, and how it is told."""

from outreach.kernel.wording import N_
from outreach.people.rules.merging import Rows

ROWS_OF_A_PERSON = (Rows("cases", N_("requests")),)
"""What merging two records of one person calls what stands here."""
