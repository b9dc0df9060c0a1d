"""What people do with requests. Every operation holds the request's row, and writes its line of history.

`version` is the version of the request that whoever acts had before them: if somebody else was quicker the
operation is refused (ChangedMeanwhile), and nothing is lost or done twice.
"""

from outreach.cases.operations.clocking import climb, count_again
from outreach.cases.operations.erasing import erase_person, erase_words, let_go, move_away
from outreach.cases.operations.handling import (
    accept,
    add,
    approve_answer,
    arbitrate,
    assign,
    note,
    reassign,
    reply,
    return_case,
    send_back,
    urge,
    want_approval,
)
from outreach.cases.operations.hearing import (
    close_with_reason,
    give_up_reaching,
    log_attempt,
    open_answer,
    reopen,
    take_feedback,
    withdraw,
)
from outreach.cases.operations.merging import merge, split
from outreach.cases.operations.parts import (
    ask_extension,
    ask_outside,
    ask_unit,
    decide_extension,
    give_part,
    release_part,
)
from outreach.cases.operations.registering import register, save_routes, take_back, take_over
from outreach.cases.operations.standard import change_standard, keep_standard, retire_standard
from outreach.cases.operations.succession import hand_on

__all__ = [
    "accept",
    "add",
    "approve_answer",
    "arbitrate",
    "ask_extension",
    "ask_outside",
    "ask_unit",
    "assign",
    "change_standard",
    "climb",
    "close_with_reason",
    "count_again",
    "decide_extension",
    "erase_person",
    "erase_words",
    "give_part",
    "give_up_reaching",
    "hand_on",
    "keep_standard",
    "let_go",
    "log_attempt",
    "merge",
    "move_away",
    "note",
    "open_answer",
    "reassign",
    "register",
    "release_part",
    "reopen",
    "reply",
    "retire_standard",
    "return_case",
    "save_routes",
    "send_back",
    "split",
    "take_back",
    "take_feedback",
    "take_over",
    "urge",
    "want_approval",
    "withdraw",
]
