"""What is done with people's records."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from outreach.intake.rules.days import day_said
from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.clock import office_day
from outreach.kernel.contact_details import normalised_email, normalised_phone
from outreach.kernel.database import NewRows, among, db, locked, one_at_a_time, one_at_a_time_while_keys_change
from outreach.kernel.history import HistoryLine, Subject
from outreach.kernel.limits import free_from
from outreach.kernel.references import pointed_to
from outreach.kernel.sealing import blind
from outreach.kernel.wording import N_
from outreach.kernel.words import written
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import ROLE_PERMISSIONS, Permission, Role
from outreach.people import queries
from outreach.people.models import (
    PEOPLE_BY_WORDS,
    Consent,
    ConsentText,
    ContactPoint,
    Distinction,
    Guardian,
    Look,
    Person,
    PersonContact,
    PersonField,
    PersonMerge,
    PersonTakenOut,
    ProfessionalField,
    TakenOut,
    TalentClass,
    follows_from,
    person_words,
)
from outreach.people.rules import (
    BY_THEMSELVES,
    LOOKS,
    NOBODY,
    PROFESSIONAL_FIELDS,
    TALENT_CLASSES,
    ChangedMeanwhile,
    ConsentAlreadyWithdrawn,
    ConsentTextMissing,
    ConsentTextUnchanged,
    ContactKind,
    GuardianConsentMissing,
    GuardianMissing,
    InOtherHands,
    LooksSpent,
    MergedMeanwhile,
    NeedsGuardian,
    NoConsentText,
    NoName,
    NoReason,
    NotABirthDate,
    Revealable,
    Through,
    needs_guardian,
    normalised_identity_number,
    normalised_name,
)
from outreach.people.rules.consent_texts import CONSENT_TEXTS
from outreach.people.rules.ledger import OLDEST, Entry
from outreach.people.rules.traces import Traces

LONGEST_NAME = 120
AT_ONCE = 500
TAIL = 4

WRITTEN = ("gender", "birth", "degree", "school", "major", "employer", "position", "home_town", "residence", "remark")
PLAIN = (*WRITTEN, "talent_class")
THROUGH = ("through_account_id", "through_organisation_id")
"""What of a record a ledger may fill in, beside name, identity number and contacts."""


@dataclass(frozen=True)
class Origin:
    """Where values of a record came from: "import:12", and the row of the file."""

    source: str
    row: int | None = None


@dataclass(frozen=True)
class Known:
    """What a city keeps lists of: the ids of its classes and of the fields people work in, by their names."""

    classes: Mapping[str, int]
    fields: Mapping[str, int]


@dataclass(frozen=True)
class Arriving:
    """A row of a ledger that is to land: on the record of somebody known, or as a new one."""

    entry: Entry
    onto: int | None
    origin: Origin


@dataclass(frozen=True)
class Taken:
    """What became of a row: the id of the record it stands in, None if that went into another one meanwhile.

    `filled` are columns that were blank, with what stands in them now, as JSON has it; `contacts` are ids of numbers
    and addresses that the person was not reached at before, `points` those of them that nobody was; `fields` are ids of
    fields that the person was not said to work in before.
    """

    person_id: int | None
    made: bool = False
    row: int | None = None
    source: str = ""
    filled: Mapping[str, Any] = field(default_factory=dict)
    kept_beside: int = 0
    contacts: Sequence[int] = ()
    points: Sequence[int] = ()
    fields: Sequence[int] = ()

    @property
    def changed(self) -> bool:
        """Whether the row said anything new."""
        return bool(self.filled or self.kept_beside or self.contacts or self.fields)

    @property
    def facts(self) -> dict[str, Any]:
        """What the line of history says; never a value."""
        return {
            "source": self.source,
            "row": self.row,
            "filled": sorted([*self.filled, *(["fields"] if self.fields else [])]),
            "kept_beside": self.kept_beside,
            "contacts_added": len(self.contacts),
        }

    @property
    def trace(self) -> dict[str, Any]:
        """What `take_back` needs; {} where nothing changed. Holds values: it is to be kept sealed."""
        if self.person_id is None or not (self.made or self.changed):
            return {}
        return {
            "person": self.person_id,
            "made": self.made,
            "row": self.row,
            "filled": {} if self.made else dict(self.filled),  # a record that was made goes as a whole
            "contacts": list(self.contacts),
            "points": list(self.points),
            "fields": list(self.fields),
        }


STANDS_ON = N_("Something else was entered about this person since; the record stays.")
CHANGED_SINCE = N_("Some of what the row filled in was changed since; that stays.")
OWN_TABLES = ("person_contacts", "person_fields")
"""Tables whose rows go with a person who is removed."""


def contact_point(*, kind: ContactKind, value: str, now: datetime) -> ContactPoint:
    """Return the number or address as the city knows it, made known now if it was not.

    :raises NotAPhone: if a number is none
    :raises NotAnEmail: if an address is none
    """
    plain = normalised_phone(value) if kind is ContactKind.PHONE else normalised_email(value)
    one_at_a_time_while_keys_change("contact points")
    index = blind(plain, purpose=kind.value)
    wanted = sa.select(ContactPoint).where(ContactPoint.kind == kind, ContactPoint.index == index)
    found = db.session.scalar(wanted)
    if found is not None:
        return found
    try:
        with db.session.begin_nested():
            point = ContactPoint(kind=kind, value=plain, index=index, tail=queries.tail_index(plain, kind))
            db.session.add(point)
    except IntegrityError:  # somebody else was quicker by a moment
        return db.session.scalars(wanted).one()
    return point


def is_known_point(*, kind: ContactKind, value: str) -> bool:
    """Tell whether the city knows a number or an address, written in its normal form."""
    known = sa.select(ContactPoint.id).where(
        ContactPoint.kind == kind, ContactPoint.index == blind(value, purpose=kind.value)
    )
    return db.session.scalar(known) is not None


def person_at(
    *,
    contact_point: ContactPoint,
    name: str,
    organisation: Organisation,
    source: str,
    now: datetime,
    by: Actor,
    through: Through = BY_THEMSELVES,
) -> Person:
    """Return the person of this name who can be reached there; a new one, kept by the organisation, if nobody is.

    `through` is whom they came through, kept with a new record only: who is known came earlier, as it stands there.

    A number is not who somebody is: the same number with another name is another person.
    :raises NoName: without a name
    """
    reached = Reached(contact_point.id, name, organisation.id, source, by, through)
    [introduced] = people_reached([reached], now=now)
    return db.session.get_one(Person, introduced.id)


@dataclass(frozen=True)
class Brought:
    """Somebody whom a row of another feature's file names, where they are reached, and what undoes it (`take_back`)."""

    person: Person
    contact_point: ContactPoint
    trace: Mapping[str, Any]


def bring(
    *, kind: ContactKind, value: str, name: str, organisation: Organisation, origin: Origin, by: Actor, now: datetime
) -> Brought:
    """Return who has this name at a number or an address in its normal form, written down now if nobody has."""
    known = is_known_point(kind=kind, value=value)
    point = contact_point(kind=kind, value=value, now=now)
    person = person_at(contact_point=point, name=name, organisation=organisation, source=origin.source, now=now, by=by)
    taken = Taken(person.id, made=True, row=origin.row, source=origin.source, points=() if known else (point.id,))
    return Brought(person, point, taken.trace)


@dataclass(frozen=True)
class Reached:
    """Somebody who gave their name at a number or an address; see `person_at`.

    `holding` is how often it had changed hands when they proved it; None where somebody else gives their name.
    """

    contact_point_id: int
    name: str
    organisation_id: int
    source: str
    by: Actor
    through: Through = BY_THEMSELVES
    holding: int | None = None


@dataclass(frozen=True)
class Introduced:
    """Who gave their name at a number or an address: what of their record is asked where many come at once.

    :param contact_point: a row of it with what `notices.operations.Point` needs
    """

    id: int
    name: str
    birth: str | None
    contact_point: Any
    is_new: bool


def people_reached(asked: Sequence[Reached], *, now: datetime) -> list[Introduced]:
    """Return those who gave their names, in order, as `person_at` returns one; new records are written past the ORM.

    :raises NoName: if one of them gave none
    :raises InOtherHands: if what one of them proved has changed hands since, or is gone
    """
    names = [" ".join(each.name.split())[:LONGEST_NAME] for each in asked]
    if not all(names):
        raise NoName
    points = queries.hold_points({each.contact_point_id for each in asked})
    for each in asked:
        point = points.get(each.contact_point_id)
        if point is None or each.holding not in (None, point.holding):
            raise InOtherHands
    known: dict[tuple[int, str], Any] = {}
    for record in queries.reached_at(points):
        known.setdefault((record.contact_point_id, record.name_key), record)
    keys = [(each.contact_point_id, normalised_name(name)[:120]) for each, name in zip(asked, names, strict=True)]
    fresh: dict[tuple[int, str], tuple[Reached, str]] = {}
    for key, each, name in zip(keys, asked, names, strict=True):
        if key not in known:
            fresh.setdefault(key, (each, name))
    ids = dict(zip(fresh, _write_down(list(fresh.values()), now), strict=True))
    return [
        Introduced(
            id=ids[key] if key in ids else known[key].id,
            name=fresh[key][1] if key in ids else known[key].name,
            birth=None if key in ids else known[key].birth,
            contact_point=points[key[0]],
            is_new=key in ids,
        )
        for key in keys
    ]


def _write_down(fresh: Sequence[tuple[Reached, str]], now: datetime) -> list[int]:
    """Write records of people whose names are all that is known of them; return their ids in order."""
    if not fresh:
        return []
    records = [
        {
            "organisation_id": each.organisation_id,
            "name": name,
            **follows_from(name, None),
            "source": each.source,
            "through_account_id": each.through.account_id,
            "through_organisation_id": each.through.organisation_id,
            "created_at": now,
            "updated_at": now,
        }
        for each, name in fresh
    ]
    ids = PEOPLE_BY_WORDS.insert(Person, records, beside=[NOTHING_ELSE] * len(records))
    contacts = [
        {"person_id": person_id, "contact_point_id": each.contact_point_id, "since": now}
        for person_id, (each, _) in zip(ids, fresh, strict=True)
    ]
    _NEW_CONTACTS.add(db.session.connection(), contacts)
    subjects = [Subject("person", person_id) for person_id in ids]
    history.write_for_many(
        act="created",
        by={subject: each.by for subject, (each, _) in zip(subjects, fresh, strict=True)},
        now=now,
        facts={subject: {"source": each.source} for subject, (each, _) in zip(subjects, fresh, strict=True)},
        new=True,
    )
    return ids


NOTHING_ELSE: Mapping[str, Any] = {
    **dict.fromkeys(("employer", "school", "home_town", "residence", "talent_class_id", "degree")),
    **dict.fromkeys(("merged_into_id", "erased_at")),
    "fields": (),
}
"""What words of a record are made of, of somebody of whom only the name is known."""


def add(
    *,
    organisation: Organisation,
    name: str,
    phone: str | None,
    email: str | None,
    values: Mapping[str, Any],
    by: Actor,
    now: datetime,
) -> Person:
    """Write down a new person by hand. `values` are those of `PLAIN`, and "identity_number".

    :raises NoName: without a name
    :raises NotAPhone: if the number is none
    :raises NotAnEmail: if the address is none
    :raises NotABirthDate: if the date of birth is none
    :raises NotAnIdentityNumber: if the identity number is mistyped
    """
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise NoName
    person = _new(name, organisation.id, "official", now)
    _set(person, values, now)
    _reached_at(person, phone, email, now)
    history.write(subject=_subject(person), act="created", by=by, now=now, facts={"source": "official"})
    return person


def change(
    *,
    person: Person,
    name: str,
    phone: str | None,
    email: str | None,
    values: Mapping[str, Any],
    seen_at: datetime,
    by: Actor,
    now: datetime,
) -> Person:
    """Correct a record by hand; a number or an address given is added to the known ones.

    `seen_at` is when the record had last changed as the form was opened.
    :raises ChangedMeanwhile: if somebody changed it since
    :raises NoName: without a name; and the others that `add` raises
    """
    person = held(person.id)
    if person.updated_at != seen_at:
        raise ChangedMeanwhile
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise NoName
    compared = ("name", "identity_number", *PLAIN, *THROUGH)
    before = {column: getattr(person, column) for column in compared}
    fields = {one.field_id for one in person.fields}
    person.name = name
    _set(person, values, now)
    added = _reached_at(person, phone, email, now)
    changed = sorted(column for column, value in before.items() if getattr(person, column) != value)
    changed += ["fields"] if {one.field_id for one in person.fields} != fields else []
    person.updated_at = now
    history.write(
        subject=_subject(person), act="changed", by=by, now=now, facts={"columns": changed, "contacts_added": added}
    )
    return person


def take_entries(
    *, arriving: Sequence[Arriving], organisation_id: int, by: Actor, now: datetime, known: Known
) -> list[Taken]:
    """Bring in what rows of a ledger say, one for one: new people, or what the records of known ones lack.

    Blanks are filled; what differs is kept beside the record with where it came from, and overwrites nothing.
    Whatever their number, records, numbers and addresses are looked up and written together.
    """
    people = _held_people({one.onto for one in arriving if one.onto is not None})
    points = _points_of([one.entry for one in arriving], now)
    made = iter(_made([one for one in arriving if one.onto is None], points, organisation_id, now, known))
    taken = [next(made) if one.onto is None else _take(people[one.onto], one, points, now, known) for one in arriving]
    for new in (True, False):
        lines = {
            Subject("person", one.person_id): one.facts
            for one in taken
            if one.person_id is not None and one.made is new and (new or one.changed)
        }
        history.write_for_many(act="created" if new else "imported", by=by, now=now, facts=lines, new=new)
    return taken


def take_back(*, traces: Sequence[Mapping[str, Any]], source: str, by: Actor, now: datetime) -> list[str | None]:
    """Take out again what rows of a file brought in: see `Taken.trace`. Return why each stays, or None.

    A record that was made goes if nothing was done with it since and nothing points to it; a blank that was filled
    is emptied if it still says what the row said.
    """
    people = _held_people({trace["person"] for trace in traces if not trace["made"]})
    made = {trace["person"] for trace in traces if trace["made"]}
    stays = standing_on(made, source)
    why: list[str | None] = []
    emptied: dict[Subject, dict[str, Any]] = {}
    for trace in traces:
        person = people.get(trace["person"])
        if trace["made"]:
            why.append(STANDS_ON if trace["person"] in stays else None)
        elif person is None:
            why.append(None)
        else:
            left = _empty(person, trace, source)
            person.updated_at = now
            emptied[_subject(person)] = {"source": source, "row": trace["row"], "left": left}
            why.append(CHANGED_SINCE if left else None)
    history.write_for_many(act="import_undone", by=by, now=now, facts=emptied)
    gone = _remove(made - stays)
    _forget_points({point for trace in traces for point in trace["points"]})
    facts = {Subject("person", person_id): {"source": source} for person_id in gone}
    history.write_for_many(act="removed", by=by, now=now, facts=facts)
    return why


def standing_on(made: Collection[int], source: str) -> set[int]:
    """Return the people, of those a file made, with whom something was done since, or to whom something points."""
    if not made:
        return set()
    return _touched_since(made, source) | pointed_to("people", made, apart_from=OWN_TABLES)


def _remove(ids: Collection[int]) -> list[int]:
    """Delete people to whom nothing points but what is their own; return those that were there."""
    held = locked(sa.select(Person.id).where(Person.id.in_(ids)).order_by(Person.id))
    gone = list(db.session.scalars(held)) if ids else []
    if gone:
        db.session.flush()
        for own in (PersonContact, PersonField):
            db.session.execute(
                sa.delete(own).where(own.person_id.in_(gone)).execution_options(synchronize_session=False)
            )
        PEOPLE_BY_WORDS.delete(Person, gone)
    return gone


def look(
    *, person: Person, viewer: Account, what: Revealable, reason: str, now: datetime, which: int | None = None
) -> str:
    """Return something masked in full, and write down who looked, when and why; the person can see it.

    :param which: the id of the person's contact, or of the guardian, that is looked at

    The caller commits it before it is shown, in a transaction of its own: what was seen counts whatever comes after.

    :raises NoReason: without one
    :raises LooksSpent: if this account has looked at too many within an hour or a day
    """
    reason = " ".join(reason.split())
    if not reason:
        raise NoReason
    one_at_a_time(f"look {viewer.id}")
    past = queries.looks_by(viewer.id, since=now - max(limit.within for limit in LOOKS))
    if (free := free_from(LOOKS, past, now)) is not None:
        raise LooksSpent(hour=LOOKS[0].most, day=LOOKS[1].most, free=free)
    person = held(person.id)
    shown = _in_full(person, what, which)
    db.session.add(
        Look(
            person_id=person.id,
            account_id=viewer.id,
            organisation_id=viewer.organisation_id,
            role=_role_for(viewer, Permission.PEOPLE_REVEAL),
            what=what.value,
            reason=reason[:200],
            at=now,
        )
    )
    history.write(
        subject=_subject(person),
        act="looked_at",
        by=viewer.actor,
        now=now,
        facts={"what": what.value, "which": which},
        words=reason[:200],
    )
    return shown


def _in_full(person: Person, what: Revealable, which: int | None) -> str:
    if what is Revealable.CONTACT:
        return next((c.contact_point.value for c in person.contacts if c.id == which), "")
    if what is Revealable.GUARDIAN:
        for one in queries.guardians_of(person.id):
            if one.id == which:
                return " ".join(
                    [one.name, *([one.contact_point.value.removeprefix("+86")] if one.contact_point else [])]
                )
        return ""
    if what is Revealable.BESIDE:
        exposing = [entry for entry, masked in zip(person.aside, person.beside, strict=True) if entry != masked]
        return "；".join(f"{entry['of']}：{entry['value']}" for entry in exposing)
    return getattr(person, what.value) or ""


def note_exported(*, export_id: int, account_id: int, person_ids: Sequence[int], reason: str, now: datetime) -> None:
    """Write down that these people stood in an export, who may ask; called in steps, and again after a stop.

    Called by what makes the file, in the transaction in which its rows are read.
    """
    taken_out = db.session.scalar(sa.select(TakenOut).where(TakenOut.export_id == export_id))
    missing = []
    if taken_out is None:
        account = db.session.get_one(Account, account_id)
        taken_out = TakenOut(
            export_id=export_id,
            account_id=account.id,
            organisation_id=account.organisation_id,
            role=_role_for(account, Permission.PEOPLE_READ),
            reason=reason[:200],
            at=now,
        )
        db.session.add(taken_out)
        db.session.flush()
    else:
        known = sa.select(PersonTakenOut.person_id).where(PersonTakenOut.taken_out_id == taken_out.id)
        missing.append(Person.id.not_in(known))
    some = sa.select(Person.id, sa.literal(taken_out.id)).where(among(Person.id, "some_people"), *missing)
    for begin in range(0, len(person_ids), AT_ONCE):
        these = some.params(some_people=person_ids[begin : begin + AT_ONCE])
        db.session.execute(sa.insert(PersonTakenOut).from_select(["person_id", "taken_out_id"], these))


def note_birth(*, person: Person, birth: str, by: Actor, now: datetime) -> None:
    """Keep the date of birth that an event asked for, where none is known yet.

    :raises NotABirthDate: if it is none
    """
    if person.birth:
        return
    person = held(person.id)
    person.birth = checked_birth(birth, now)
    history.write(subject=_subject(person), act="changed", by=by, now=now, facts={"columns": ["birth"]})


def answer_for(
    *, child: Person, name: str, agrees: bool, contact_point: ContactPoint, about: str, now: datetime, language: str
) -> Guardian:
    """Take down who answers for a child under 14, and their consent, given with their own telephone.

    :raises GuardianMissing: without a name
    :raises GuardianConsentMissing: unless they agree
    :raises NoConsentText: if there is no text to agree to
    """
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise GuardianMissing
    if not agrees:
        raise GuardianConsentMissing
    consent = give_consent(
        person=child, purpose="guardian", contact_point=contact_point, about=about, now=now, language=language
    )
    guardian = Guardian(
        child_id=child.id, name=name, contact_point_id=contact_point.id, consent_id=consent.id, since=now
    )
    db.session.add(guardian)
    db.session.flush()
    return guardian


def give_consent(
    *,
    person: Person,
    purpose: str,
    contact_point: ContactPoint | None,
    about: str,
    now: datetime,
    language: str = queries.CHINESE,
) -> Consent:
    """Record that a person agreed to the current text of a purpose, in the language it was shown in.

    `about` is what it was given for, "event:12".
    :raises NoConsentText: if there is no text of this purpose
    """
    agreed = Agreed(person.id, contact_point.id if contact_point else None, about, language)
    [columns] = _consents([agreed], purpose, now)
    consent = Consent(**columns)
    db.session.add(consent)
    db.session.flush()
    return consent


@dataclass(frozen=True)
class Agreed:
    """That somebody agreed, before it is written down; see `give_consent`."""

    person_id: int
    contact_point_id: int | None
    about: str
    language: str


def give_consents(agreed: Sequence[Agreed], *, purpose: str, now: datetime) -> None:
    """Record that many people agreed, each as `give_consent` records one, past the ORM.

    :raises NoConsentText: if there is no text of this purpose
    """
    if agreed:
        _NEW_CONSENTS.add(db.session.connection(), _consents(agreed, purpose, now))


def _consents(agreed: Sequence[Agreed], purpose: str, now: datetime) -> list[dict[str, Any]]:
    texts = {language: queries.current_consent(purpose, language) for language in {each.language for each in agreed}}
    if None in texts.values():
        raise NoConsentText
    return [
        {
            "person_id": each.person_id,
            "text_id": texts[each.language].id,
            "contact_point_id": each.contact_point_id,
            "given_at": now,
            "about": each.about,
        }
        for each in agreed
    ]


_NEW_CONSENTS = NewRows(Consent.__table__, ("person_id", "text_id", "contact_point_id", "given_at", "about"))


def seed_consent_texts(*, now: datetime) -> None:
    """Put the texts people are asked to agree to into the database, where a version is not there yet.

    Called by the first set-up, the demo, and at every start: a new version of a text takes effect by itself.
    """
    known = set(db.session.execute(sa.select(ConsentText.purpose, ConsentText.version, ConsentText.language)).all())
    for draft in CONSENT_TEXTS:
        if (draft.purpose, draft.version, draft.language) not in known:
            db.session.add(
                ConsentText(
                    purpose=draft.purpose,
                    version=draft.version,
                    language=draft.language,
                    text=draft.text,
                    kept_months=draft.kept_months,
                    valid_from=now,
                )
            )
    db.session.flush()


def seed_classes_and_fields() -> None:
    """Give a city the classes and fields it begins with, where it has none. Called by the first set-up and the demo."""
    if db.session.scalar(sa.select(TalentClass.id).limit(1)) is None:
        for position, (name, rhythm) in enumerate(TALENT_CLASSES, start=1):
            db.session.add(TalentClass(name=name, position=position, rhythm=rhythm))
    if db.session.scalar(sa.select(ProfessionalField.id).limit(1)) is None:
        for position, name in enumerate(PROFESSIONAL_FIELDS, start=1):
            db.session.add(ProfessionalField(name=name, position=position))
    db.session.flush()


def held(person_id: int) -> Person:
    """Return a person whose row is held until the transaction ends.

    :raises MergedMeanwhile: if the record went into another one while we waited for it
    """
    person = db.session.scalars(locked(sa.select(Person).where(Person.id == person_id))).one()
    if person.merged_into_id is not None:
        raise MergedMeanwhile
    return person


def withdraw_consent(*, consent: Consent, by: Actor, now: datetime) -> None:
    """Write down that a person took back what they had agreed to. What follows from it is the caller's.

    :raises ConsentAlreadyWithdrawn: if they did before
    """
    consent = db.session.scalars(locked(sa.select(Consent).where(Consent.id == consent.id))).one()
    if consent.withdrawn_at is not None:
        raise ConsentAlreadyWithdrawn
    consent.withdrawn_at = now
    db.session.scalars(locked(sa.select(Person).where(Person.id == consent.person_id))).one()
    history.write(
        subject=Subject("person", consent.person_id),
        act="consent_withdrawn",
        by=by,
        now=now,
        facts={"consent": consent.id, "text": consent.text_id, "about": consent.about},
    )


def publish_consent_text(
    *, purpose: str, texts: Mapping[str, str], kept_months: int, by: Actor, now: datetime
) -> Sequence[ConsentText]:
    """Ask people to agree to this text from now on, a new version in each language. What was agreed to stays.

    :raises ConsentTextMissing: if a language has no text
    :raises ConsentTextUnchanged: if nothing differs from the version that holds
    """
    one_at_a_time(f"consent text {purpose}")
    present = {text.language: text for text in queries.current_consent_texts(purpose)}
    if not present or any(not texts.get(language, "").strip() for language in present):
        raise ConsentTextMissing
    version = max(text.version for text in present.values())
    if all(
        text.text == texts[language].strip() and text.kept_months == kept_months for language, text in present.items()
    ):
        raise ConsentTextUnchanged(version=version)
    made = [
        ConsentText(
            purpose=purpose,
            version=version + 1,
            language=language,
            text=texts[language].strip(),
            kept_months=kept_months,
            valid_from=now,
        )
        for language in present
    ]
    db.session.add_all(made)
    db.session.flush()
    history.write(
        subject=Subject("consent_text", made[0].id),
        act="published",
        by=by,
        now=now,
        facts={"purpose": purpose, "version": version + 1, "kept_months": kept_months},
    )
    return made


def nobody(*, organisation_id: int, now: datetime) -> Person:
    """Return a new record of nobody: what is counted hangs on it once it may no longer hang on the person."""
    row = Person(organisation_id=organisation_id, name=NOBODY, source="nobody", created_at=now, updated_at=now)
    db.session.add(row)
    db.session.flush()
    _blank([row.id], now)
    return row


KEPT_OF_NOBODY = frozenset({"id", "organisation_id", "merged_into_id", "created_at"})


def traces_of(*, person: Person) -> Traces:
    """Return what tells this person in somebody's words."""
    records = [person, *queries.people_by_id(queries.merged_into(person.id))]
    points = db.session.scalars(
        sa.select(ContactPoint)
        .join(PersonContact, PersonContact.contact_point_id == ContactPoint.id)
        .where(PersonContact.person_id.in_([record.id for record in records]))
    )
    beside = [(entry["of"], str(entry["value"])) for record in records for entry in record.aside]
    return Traces(
        names=tuple({*(record.name for record in records), *(value for of, value in beside if of == "name")}),
        numbers=(
            *(point.value for point in points),
            *(record.identity_number for record in records if record.identity_number),
            *(value for of, value in beside if of in {"phone", "email", "identity_number"}),
        ),
    )


def erase(*, person: Person, traces: Traces, by: Actor, now: datetime) -> Sequence[int]:
    """Take out of the people's own tables everything that tells who it was; the row and the consents' proof stay.

    Records that were merged into this one go with it, and no merge can be undone any more. The last step of an erasure
    (privacy.operations.erase): the features above have erased their words before. Returns the numbers and addresses,
    by id, at which nobody is reached any more.
    """
    person = held(person.id)
    ids = [person.id, *queries.merged_into(person.id)]
    points = set(db.session.scalars(sa.select(PersonContact.contact_point_id).where(PersonContact.person_id.in_(ids))))
    history.write(subject=_subject(person), act="erased", by=by, now=now)
    history.forget_words(kind="person", ids=ids)
    _strike_reasons(ids, traces)
    for gone in (
        sa.delete(PersonContact).where(PersonContact.person_id.in_(ids)),
        sa.delete(Guardian).where(Guardian.child_id.in_(ids)),
        sa.delete(PersonField).where(PersonField.person_id.in_(ids)),
        sa.delete(PersonMerge).where(sa.or_(PersonMerge.kept_id.in_(ids), PersonMerge.gone_id.in_(ids))),
        sa.delete(Distinction).where(sa.or_(Distinction.one_id.in_(ids), Distinction.other_id.in_(ids))),
        sa.update(Consent).where(Consent.person_id.in_(ids)).values(contact_point_id=None),
    ):
        db.session.execute(gone)
    _blank(ids, now)
    db.session.expire_all()
    still = db.session.scalars(
        sa.select(PersonContact.contact_point_id).where(PersonContact.contact_point_id.in_(points))
    )
    return sorted(points - set(still))


def delete_looks(*, ids: Sequence[int]) -> None:
    """Delete looks whose time is up, with the reasons in the history of whoever was looked at."""
    looked = sa.select(Look.person_id, Look.at).where(Look.id.in_(ids))
    for person_id, at in db.session.execute(looked).all():
        history.forget_words(kind="person", ids=[person_id], act="looked_at", at=at)
    db.session.execute(sa.delete(Look).where(Look.id.in_(ids)))


def delete_lists(*, export_ids: Sequence[int]) -> None:
    """Delete who stood in lists that were taken out, when their time is up."""
    gone = sa.select(TakenOut.id).where(TakenOut.export_id.in_(export_ids))
    db.session.execute(sa.delete(PersonTakenOut).where(PersonTakenOut.taken_out_id.in_(gone)))
    db.session.execute(sa.delete(TakenOut).where(TakenOut.export_id.in_(export_ids)))


def delete_consents(*, ids: Sequence[int]) -> None:
    """Delete the proof of consents whose time is up."""
    db.session.execute(sa.delete(Consent).where(Consent.id.in_(ids)))


def _blank(ids: Sequence[int], now: datetime) -> None:
    """Empty these records but for what is counted; nothing finds them any more."""
    said = {column.name: None for column in Person.__table__.columns if column.name not in KEPT_OF_NOBODY}
    unnamed = {"name": NOBODY, "name_key": "", "pinyin": "", "sound": "", "words": "", "source": "nobody"}
    db.session.execute(sa.delete(person_words).where(person_words.c.person_id.in_(ids)))
    db.session.execute(
        sa.update(Person)
        .where(Person.id.in_(ids))
        .values({**said, **unnamed, "updated_at": now, "erased_at": now})
        .execution_options(synchronize_session=False)
    )


def forget_contact_point(*, contact_point_id: int) -> bool:
    """Delete a number or an address at which nobody is reached any more; return whether it is gone.

    What a colleague did through it keeps it.
    """
    try:
        with db.session.begin_nested():
            db.session.execute(
                sa.delete(ContactPoint).where(
                    ContactPoint.id == contact_point_id,
                    ~sa.exists().where(PersonContact.contact_point_id == contact_point_id),
                )
            )
    except IntegrityError:
        return False
    return db.session.scalar(sa.select(ContactPoint.id).where(ContactPoint.id == contact_point_id)) is None


def _strike_reasons(ids: Sequence[int], traces: Traces) -> None:
    """Reasons of looks at this person go; in the reasons of lists the person is struck out."""
    db.session.execute(sa.update(Look).where(Look.person_id.in_(ids)).values(reason=None))
    for taken_out in db.session.scalars(
        sa.select(TakenOut).where(
            sa.exists().where(PersonTakenOut.taken_out_id == TakenOut.id, PersonTakenOut.person_id.in_(ids))
        )
    ):
        if taken_out.reason:
            taken_out.reason = traces.struck_from(taken_out.reason)
    db.session.flush()


def _new(name: str, organisation_id: int, source: str, now: datetime) -> Person:
    person = Person(organisation_id=organisation_id, name=name, source=source, created_at=now, updated_at=now)
    db.session.add(person)
    db.session.flush()
    return person


def checked_birth(text: str, now: datetime) -> str:
    """Return a date of birth in ISO form, as precise as it was said.

    :raises NotABirthDate: if nobody alive was born then
    """
    birth, today = day_said(text), office_day(now)
    if birth is None or birth > today.isoformat() or int(birth[:4]) < today.year - OLDEST:
        raise NotABirthDate
    return birth


def _set(person: Person, values: Mapping[str, Any], now: datetime) -> None:
    for column in PLAIN:
        if column in values:
            setattr(person, column, values[column] or None)
    for column in THROUGH:
        if column in values:
            setattr(person, column, values[column])
    if "fields" in values:
        wanted = dict.fromkeys(values["fields"])
        kept = [one for one in person.fields if one.field_id in wanted]
        fresh = wanted.keys() - {one.field_id for one in kept}
        person.fields = [*kept, *(PersonField(field_id=field_id) for field_id in sorted(fresh))]
    if values.get("birth"):
        person.birth = checked_birth(values["birth"], now)
        if needs_guardian(person.birth, office_day(now)):
            raise NeedsGuardian
    if "identity_number" in values:
        _identify(person, normalised_identity_number(values["identity_number"]) if values["identity_number"] else None)


def _identify(person: Person, number: str | None) -> None:
    person.identity_number = number
    person.identity_index = blind(number, purpose="identity") if number else None


def _reached_at(person: Person, phone: str | None, email: str | None, now: datetime) -> int:
    return sum(
        _reach(person, kind, value, now)
        for kind, value in ((ContactKind.PHONE, phone), (ContactKind.EMAIL, email))
        if value
    )


def _reach(person: Person, kind: ContactKind, value: str, now: datetime) -> bool:
    point = contact_point(kind=kind, value=value, now=now)
    if any(contact.contact_point_id == point.id for contact in person.contacts):
        return False
    person.contacts.append(PersonContact(contact_point=point, since=now))
    db.session.flush()
    return True


def _fill(person: Person, entry: Entry, classes: Mapping[str, int]) -> tuple[list[str], list[tuple[str, str]]]:
    """Fill in what the record lacks; return the names of what was filled, and what differs."""
    filled: list[str] = []
    apart: list[tuple[str, str]] = []
    if normalised_name(person.name) != normalised_name(entry.name):
        apart.append(("name", entry.name))
    for column in WRITTEN:
        said, held = getattr(entry, column), getattr(person, column)
        if not said:
            continue
        if not held or (column == "birth" and said.startswith(held) and said != held):
            setattr(person, column, said)
            filled.append(column)
        elif not same_value(column, held, said):
            apart.append((column, said.value if hasattr(said, "value") else said))
    tier = classes.get(entry.talent_class or "")
    if tier and person.talent_class_id is None:
        person.talent_class_id = tier
        filled.append("talent_class")
    elif tier and person.talent_class_id != tier:
        apart.append(("talent_class", entry.talent_class))
    _fill_identity(person, entry, filled, apart)
    return filled, apart


def _fill_identity(person: Person, entry: Entry, filled: list[str], apart: list[tuple[str, str]]) -> None:
    if entry.identity_number and not person.identity_number:
        _identify(person, entry.identity_number)
        filled.append("identity_number")
    elif entry.identity_number and entry.identity_number != person.identity_number:
        apart.append(("identity_number", entry.identity_number))


def same_value(column: str, held: Any, said: Any) -> bool:
    """Tell whether a ledger says the same as a record, but for how it is written or how precisely."""
    if column == "birth":
        return held.startswith(said)
    if isinstance(said, str) and not hasattr(said, "value"):
        return normalised_name(held) == normalised_name(said)
    return held == said


def _held_people(ids: Collection[int]) -> dict[int, Person]:
    if not ids:
        return {}
    found = db.session.scalars(locked(sa.select(Person).where(Person.id.in_(ids)).order_by(Person.id))).unique()
    return {person.id: person for person in found}


@dataclass(frozen=True)
class _Points:
    """Numbers and addresses by kind and value; `new` are those made known now that nobody was given yet."""

    ids: Mapping[tuple[ContactKind, str], int]
    new: set[int]

    def of(self, entry: Entry) -> list[int]:
        """Return the ids of what an entry names, each once."""
        named = [(ContactKind.PHONE, number) for number in entry.phones]
        named += [(ContactKind.EMAIL, address) for address in entry.emails]
        return list(dict.fromkeys(self.ids[one] for one in named))

    def first_of(self, points: Sequence[int]) -> list[int]:
        """Return those that were made known now; whoever asks first is who brought them."""
        mine = [point for point in points if point in self.new]
        self.new.difference_update(mine)
        return mine


def _points_of(entries: Sequence[Entry], now: datetime) -> _Points:
    """Return the numbers and addresses of entries, made known now if they were not."""
    wanted = {(ContactKind.PHONE, number) for entry in entries for number in entry.phones}
    wanted |= {(ContactKind.EMAIL, address) for entry in entries for address in entry.emails}
    one_at_a_time_while_keys_change("contact points")
    indexes = {blind(value, purpose=kind.value): (kind, value) for kind, value in sorted(wanted)}
    found = _known_points(indexes)
    missing = [named for named in indexes.values() if named not in found]
    if not missing:
        return _Points(found, set())
    fresh = [
        {"kind": kind, "value": value, "index": index, "tail": queries.tail_index(value, kind)}
        for index, (kind, value) in indexes.items()
        if (kind, value) not in found
    ]
    try:
        with db.session.begin_nested():
            new = sa.insert(ContactPoint).returning(ContactPoint.id, sort_by_parameter_order=True)
            ids = db.session.scalars(new, fresh, execution_options={"render_nulls": True}).all()
    except IntegrityError:  # somebody else made one of them known at the same moment
        made = {(kind, value): contact_point(kind=kind, value=value, now=now).id for kind, value in missing}
        return _Points(found | made, set())
    return _Points(found | dict(zip(missing, ids, strict=True)), set(ids))


def _known_points(
    indexes: Mapping[str, tuple[ContactKind, str]],
) -> dict[tuple[ContactKind, str], int]:
    if not indexes:
        return {}
    wanted = ContactPoint.index.in_(list(indexes))
    points = db.session.execute(sa.select(ContactPoint.id, ContactPoint.kind, ContactPoint.index).where(wanted))
    return {indexes[index]: point for point, kind, index in points if kind is indexes[index][0]}


_NEW_CONTACTS = NewRows(PersonContact.__table__, ("person_id", "contact_point_id", "since"))


_NEW_FIELDS = NewRows(PersonField.__table__, ("person_id", "field_id"))


def _made(
    arriving: Sequence[Arriving], points: _Points, organisation_id: int, now: datetime, known: Known
) -> list[Taken]:
    """Write new people, one for each row; written past the ORM, which would take most of the time of a long list."""
    if not arriving:
        return []
    columns = [_columns_of(one, organisation_id, now, known) for one in arriving]
    work = [[PersonField(field_id=known.fields[name]) for name in one.entry.fields] for one in arriving]
    ids = PEOPLE_BY_WORDS.insert(Person, columns, beside=[{"fields": fields} for fields in work])
    taken, contacts, fields = [], [], []
    for person_id, one in zip(ids, arriving, strict=True):
        reached = points.of(one.entry)
        contacts += [{"person_id": person_id, "contact_point_id": point, "since": now} for point in reached]
        works_in = [known.fields[name] for name in one.entry.fields]
        fields += [{"person_id": person_id, "field_id": field_id} for field_id in works_in]
        taken.append(
            Taken(
                person_id=person_id,
                made=True,
                row=one.origin.row,
                source=one.origin.source,
                filled=_said(one.entry, known),
                kept_beside=len(dict.fromkeys(one.entry.aside)),
                contacts=reached,
                points=points.first_of(reached),
                fields=works_in,
            )
        )
    if contacts:
        _NEW_CONTACTS.add(db.session.connection(), contacts)
    if fields:
        _NEW_FIELDS.add(db.session.connection(), fields)
    return taken


def _columns_of(one: Arriving, organisation_id: int, now: datetime, known: Known) -> dict[str, Any]:
    entry, origin = one.entry, one.origin
    number = entry.identity_number
    aside = [
        {"of": of, "value": value, "source": origin.source, "row": origin.row}
        for of, value in dict.fromkeys(entry.aside)
    ]
    return {
        "organisation_id": organisation_id,
        "name": entry.name,
        **follows_from(entry.name, entry.birth),
        **{column: getattr(entry, column) for column in WRITTEN},
        "identity_number": number,
        "identity_index": blind(number, purpose="identity") if number else None,
        "talent_class_id": known.classes.get(entry.talent_class or ""),
        "extra": {"entries": aside} if aside else None,
        "source": origin.source,
        "merged_into_id": None,
        "erased_at": None,
        "created_at": now,
        "updated_at": now,
    }


def _said(entry: Entry, known: Known) -> dict[str, Any]:
    """Return what an entry says of a record that is new, by column, as JSON has it."""
    said = {column: _as_json(value) for column in (*WRITTEN, "identity_number") if (value := getattr(entry, column))}
    if tier := known.classes.get(entry.talent_class or ""):
        said["talent_class"] = tier
    return said


def _take(person: Person, one: Arriving, points: _Points, now: datetime, known: Known) -> Taken:
    """Add to a record what a row says beyond it."""
    if person.merged_into_id is not None:
        return Taken(None)
    filled, apart = _fill(person, one.entry, known.classes)
    kept = _keep_aside(person, [*apart, *one.entry.aside], one.origin)
    reached = {contact.contact_point_id for contact in person.contacts}
    added = [point for point in points.of(one.entry) if point not in reached]
    person.contacts.extend(PersonContact(contact_point_id=point, since=now) for point in added)
    works_in = {one.field_id for one in person.fields}
    fields = [known.fields[name] for name in one.entry.fields if known.fields[name] not in works_in]
    person.fields.extend(PersonField(field_id=field_id) for field_id in fields)
    taken = Taken(
        person_id=person.id,
        row=one.origin.row,
        source=one.origin.source,
        filled={column: _as_json(getattr(person, COLUMN_OF.get(column, column))) for column in filled},
        kept_beside=kept,
        contacts=added,
        points=points.first_of(added),
        fields=fields,
    )
    if taken.changed:
        person.updated_at = now
    return taken


COLUMN_OF = {"talent_class": "talent_class_id"}


def _as_json(value: Any) -> Any:
    return value.value if hasattr(value, "value") else value


def _touched_since(ids: Collection[int], source: str) -> set[int]:
    """Return the people with whom something was done but for what this file brought."""
    lines = db.session.execute(
        sa.select(HistoryLine.subject_id, HistoryLine.act, HistoryLine.facts).where(
            HistoryLine.subject_kind == "person", HistoryLine.subject_id.in_(ids)
        )
    )
    ours = {"created", "imported", "import_undone"}
    return {person_id for person_id, act, facts in lines if act not in ours or facts.get("source") != source}


def _empty(person: Person, trace: Mapping[str, Any], source: str) -> list[str]:
    """Empty again what a row filled in; return the columns that say something else by now."""
    left = []
    for column, value in trace["filled"].items():
        name = COLUMN_OF.get(column, column)
        if _as_json(getattr(person, name)) != value:
            left.append(column)
        elif name == "identity_number":
            _identify(person, None)
        else:
            setattr(person, name, None)
    for contact in list(person.contacts):
        if contact.contact_point_id in trace["contacts"]:
            person.contacts.remove(contact)
            db.session.delete(contact)
    for one in [one for one in person.fields if one.field_id in trace.get("fields", ())]:
        person.fields.remove(one)
    kept = [one for one in person.aside if (one["source"], one["row"]) != (source, trace["row"])]
    person.extra = {"entries": kept} if kept else None
    return sorted(left)


def judge_who_is_away(*, after: int, limit: int) -> list[int]:
    """Write anew the words of the people past an id whose two places are known; return their ids, in order.

    For when what a place is called has changed: whether somebody is away is a word of theirs.
    """
    known = Person.home_town.is_not(None), Person.residence.is_not(None)
    people = db.session.scalars(
        locked(sa.select(Person).where(Person.id > after, *known).order_by(Person.id).limit(limit))
    ).unique()
    judged = []
    for person in people:
        person.words = written(PEOPLE_BY_WORDS.words_of(person))
        judged.append(person.id)
    db.session.flush()
    return judged


def _forget_points(ids: Collection[int]) -> None:
    """Forget numbers and addresses that a file made known and nobody is reached at any more."""
    if ids:
        free = set(ids) - pointed_to("contact_points", ids)
        db.session.execute(sa.delete(ContactPoint).where(ContactPoint.id.in_(free)))


def _keep_aside(person: Person, aside: Sequence[tuple[str, str]], origin: Origin) -> int:
    entries = list(person.aside)
    known = {(kept["of"], kept["value"]) for kept in entries}
    fresh = [
        {"of": of, "value": value, "source": origin.source, "row": origin.row}
        for of, value in dict.fromkeys(aside)
        if (of, value) not in known
    ]
    if fresh:
        person.extra = {"entries": entries + fresh}
    return len(fresh)


def _role_for(account: Account, permission: Permission) -> Role | None:
    """Return the role by which an account may do something; the first it holds where none permits it."""
    roles = [grant.role for grant in account.grants]
    return next((role for role in roles if permission in ROLE_PERMISSIONS[role]), next(iter(roles), None))


def _subject(person: Person) -> Subject:
    return Subject("person", person.id)
