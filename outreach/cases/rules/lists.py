"""The saved views of the list of requests."""

from enum import StrEnum

from outreach.kernel.wording import N_


class Tab(StrEnum):
    """A saved view of the list of requests."""

    OPEN = "open"
    WATCH = "watch"
    LATE = "late"
    TODAY = "today"
    OWED = "owed"
    TO_ASSIGN = "to_assign"
    TO_ACCEPT = "to_accept"
    TO_ANSWER = "to_answer"
    TO_HEAR = "to_hear"
    TO_DECIDE = "to_decide"
    TO_APPROVE = "to_approve"
    CO_HANDLED = "co_handled"
    ENDED = "ended"

    @property
    def label(self) -> str:
        """The name of the view, to be translated."""
        return TABS[self]


TABS = {
    Tab.OPEN: N_("All open"),
    Tab.WATCH: N_("To watch"),
    Tab.LATE: N_("Overdue"),
    Tab.TODAY: N_("Due today"),
    Tab.OWED: N_("Ours to do"),
    Tab.TO_ASSIGN: N_("To assign"),
    Tab.TO_ACCEPT: N_("To accept"),
    Tab.TO_ANSWER: N_("To answer"),
    Tab.TO_HEAR: N_("Waiting for feedback"),
    Tab.TO_DECIDE: N_("To decide"),
    Tab.TO_APPROVE: N_("To approve"),
    Tab.CO_HANDLED: N_("Parts of ours"),
    Tab.ENDED: N_("Ended"),
}
