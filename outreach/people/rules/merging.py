"""When two records may be one person, what of them is compared, and what merging them refuses."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from outreach.intake.rules import Reason
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.people.rules.ledger import contradict


class Grade(IntEnum):
    """How likely two records are one person; the lower the likelier."""

    NEARLY_SURE = 1
    LIKELY = 2
    POSSIBLE = 3

    @property
    def label(self) -> str:
        """The words for it, to be translated."""
        return {
            Grade.NEARLY_SURE: N_("Almost certainly one person"),
            Grade.LIKELY: N_("Probably one person"),
            Grade.POSSIBLE: N_("Perhaps one person"),
        }[self]


@dataclass(frozen=True)
class Traits:
    """What of a record is compared. Identity and contacts are blind indexes; `sounds` is every reading of the name."""

    name_key: str
    sounds: str
    identity: str | None
    birth: str | None
    employer: str | None
    contacts: frozenset[str]


def alike(one: Traits, other: Traits) -> tuple[Grade, tuple[Reason, ...]] | None:
    """Say how likely two records are one person, and why in words; None where nothing says so.

    A number alone is not identity: families and offices share one. What speaks against it is said as well, and makes
    it less likely.
    """
    same_name = one.name_key == other.name_key
    shared = bool(one.contacts & other.contacts)
    found: list[tuple[Grade, str]] = []
    if one.identity and one.identity == other.identity:
        found.append((Grade.NEARLY_SURE, N_("The identity number is the same")))
    if same_name and shared:
        found.append((Grade.NEARLY_SURE, N_("The name and a number or address are the same")))
    elif shared and sounds_alike(one, other):
        found.append((Grade.POSSIBLE, N_("A number or address is the same, and the names are much alike")))
    if same_name and one.birth and len(one.birth) == 10 and one.birth == other.birth:
        found.append((Grade.LIKELY, N_("The name and the date of birth are the same")))
    if same_name and one.employer and one.employer == other.employer:
        found.append((Grade.POSSIBLE, N_("The name and the employer are the same")))
    if not found:
        return None
    grade = min(grade for grade, _ in found)
    against = list(_against(one, other))
    if against and grade is not Grade.POSSIBLE:
        grade = Grade(grade + 1)
    return grade, tuple(Reason(sentence) for sentence in (*(said for _, said in found), *against))


def sounds_alike(one: Traits, other: Traits) -> bool:
    """Tell whether two names read the same (张玮, 张伟), or one holds the other (张伟, 张伟博士)."""
    return one.sounds == other.sounds or one.name_key in other.name_key or other.name_key in one.name_key


def _against(one: Traits, other: Traits) -> Iterator[str]:
    if one.identity and other.identity and one.identity != other.identity:
        yield N_("But the identity numbers differ")
    if contradict(one.birth, other.birth):
        yield N_("But the dates of birth differ")


class Twice(StrEnum):
    """What becomes of a row of the one record where the other has the same: both at one visit, both in one export."""

    SET_ASIDE = "set_aside"  # the second says nothing new: kept with the merge, brought back when it is undone
    SETTLED = "settled"  # the feature settles it by name before: a second place is given back, a second pairing ended
    NEVER = "never"  # it cannot happen; if it does, the merge is refused


@dataclass(frozen=True)
class Rows:
    """Rows of one feature that point to people, as merging and its pages speak of them."""

    table: str
    label: str  # English source, plural: "registrations"
    twice: Twice = Twice.NEVER


@dataclass(frozen=True)
class Named:
    """One row by what people call it, and the page it stands on: an event's title, a request's number."""

    title: str
    endpoint: str | None = None
    arguments: Mapping[str, int] = field(default_factory=dict)


ROWS: dict[str, Rows] = {}
"""Every table with a foreign key to people; features declare theirs in app.py, and a test compares with the models."""


def declare(rows: Iterable[Rows]) -> None:
    """Make rows known to merging."""
    ROWS.update({one.table: one for one in rows})


OWN_ROWS = (
    Rows("person_contacts", N_("numbers and addresses"), Twice.SET_ASIDE),
    Rows("person_fields", N_("fields"), Twice.SET_ASIDE),
    Rows("consents", N_("consents")),
    Rows("guardians", N_("guardians")),
    Rows("looks", N_("looks at masked data")),
    Rows("people_taken_out", N_("exports they stood in"), Twice.SET_ASIDE),
    Rows("import_rows", N_("rows of files")),
)

COLUMNS = (
    "name",
    "gender",
    "birth",
    "identity_number",
    "degree",
    "school",
    "major",
    "employer",
    "position",
    "talent_class_id",
    "home_town",
    "residence",
    "organisation_id",
    "through_account_id",
    "through_organisation_id",
    "source",
    "remark",
)
"""What of two records can differ and is chosen one by one."""

LABELS = {
    "name": N_("Name"),
    "gender": N_("Gender"),
    "birth": N_("Born"),
    "identity_number": N_("Identity number"),
    "degree": N_("Degree"),
    "school": N_("School"),
    "major": N_("Field of study"),
    "employer": N_("Employer"),
    "position": N_("Position"),
    "talent_class_id": N_("Class"),
    "home_town": N_("Home town"),
    "residence": N_("Lives and works in"),
    "organisation_id": N_("Kept by"),
    "through_account_id": N_("Ambassador"),
    "through_organisation_id": N_("Station or liaison office"),
    "source": N_("How they came"),
    "remark": N_("Remark"),
}
"""What those columns are called on pages."""

IMPORTS_OF_PEOPLE = frozenset({"talents"})
"""The kinds of files whose rows land as people: their rows name people without a foreign key."""


class Stay(StrEnum):
    """Why something did not return when a merge was undone."""

    SINCE = "since"
    CHANGED = "changed"
    REMOVED = "removed"
    MOVED_ON = "moved_on"
    TAKEN = "taken"
    ENDED = "ended"
    BEGUN = "begun"
    QUEUED = "queued"

    @property
    def label(self) -> str:
        """The reason as a half-sentence after "because", to be translated."""
        return {
            Stay.SINCE: N_("it came after the merge"),
            Stay.CHANGED: N_("it was corrected after the merge"),
            Stay.REMOVED: N_("it was removed after the merge"),
            Stay.MOVED_ON: N_("it went on to another record since"),
            Stay.TAKEN: N_("there is one like it already"),
            Stay.ENDED: N_("the number or address no longer belongs to them"),
            Stay.BEGUN: N_("the event has begun or is over, so the place stays given back"),
            Stay.QUEUED: N_("its place went to somebody else; it waits again where it stood in the line"),
        }[self]


class SamePerson(Refused):
    """A record is not merged with itself."""

    message = N_("These are one and the same record.")


class SaidToBeTwo(Refused):
    """Somebody looked and said they are two people."""

    message = N_("Somebody has said that these are two different people. Take that back first if it was wrong.")


class AlreadyUndone(Refused):
    """Two clerks undo one merge."""

    message = N_("This merge has been undone already.")


class UndoTheOtherFirst(Refused):
    """The kept record went into a third one since."""

    message = N_("The record of %(name)s was merged on into another one since. Undo that first.")


class BothHave(Refused):
    """Two rows that cannot both stand for one person."""

    message = N_("Both records have something of which a person can have only one (%(what)s). They were not merged.")


class BothCameIn(Refused):
    """One person comes in once."""

    message = N_(
        "Both came in at “%(event)s”, each with a ticket of their own. Whoever came in twice is two people; they were "
        "not merged."
    )


def chosen_value(column: str, *, kept: object, gone: object, leads: Mapping[str, bool]) -> object:
    """Return the value that stands after a merge: a blank never leads, else the one chosen, else the kept one's.

    `leads` says of a column whether the value of the record that goes leads.
    """
    if kept in (None, ""):
        return gone
    if gone in (None, ""):
        return kept
    return gone if leads.get(column) else kept


declare(OWN_ROWS)
