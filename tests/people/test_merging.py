"""Two records become one, and two again."""

import ast
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import NotFound

from outreach.app import IMPORTERS, ROWS_OF_A_PERSON
from outreach.cases.models import Case
from outreach.door.models import Arrival, facts_covered
from outreach.door.rules import EntryWay
from outreach.kernel import guards, history
from outreach.kernel.actor import ActorKind
from outreach.kernel.database import Model
from outreach.kernel.history import Subject
from outreach.kernel.sealing import SealedData
from outreach.organisations.rules import Role
from outreach.people import operations, queries
from outreach.people.models import (
    Distinction,
    Person,
    PersonContact,
    PersonField,
    PersonMerge,
    ProfessionalField,
)
from outreach.people.operations import merging
from outreach.people.queries import doubles
from outreach.people.rules import ContactEnd, ContactKind, MergedMeanwhile
from outreach.people.rules.merging import (
    IMPORTS_OF_PEOPLE,
    OWN_ROWS,
    AlreadyUndone,
    BothCameIn,
    Grade,
    SaidToBeTwo,
    SamePerson,
    Traits,
    UndoTheOtherFirst,
    alike,
)
from outreach.registration import queries as registrations
from outreach.registration.rules import REGISTERED_TWICE, RegistrationState
from tests.conftest import NOW
from tests.factories import (
    BEFORE,
    a_case,
    a_contact_point,
    a_pairing,
    a_person,
    a_registration,
    a_visit,
    an_account,
    an_event,
    an_organisation,
)
from tests.machine import ROOT


@pytest.fixture
def office(city):
    return city.lead_organisation


@pytest.fixture
def organiser(office):
    return an_account("何清越", organisation=office, roles=[Role.ORGANISER])


@pytest.fixture
def two(office):
    """One person, written down twice: the older record, then the newer."""
    return (
        a_person("林知遥", organisation=office, at=a_contact_point("+8619901000036")),
        a_person("林知遥", organisation=office, at=a_contact_point("+8619901000037")),
    )


def merged(two, organiser, leads=()) -> PersonMerge:
    return merging.merge(kept=two[0], gone=two[1], leads=leads, by=organiser, now=NOW)


def undone(record, organiser, different=False) -> list[dict]:
    return merging.undo(merge=record, different=different, by=organiser, now=NOW + timedelta(days=1)).stayed


# --- every foreign key ----------------------------------------------------------------------------


def test_every_table_that_points_to_people_is_known_to_merging():
    named = {rows.table for rows in (*OWN_ROWS, *ROWS_OF_A_PERSON)}

    assert {table for table, _ in guards.references_to_people()} | {"import_rows"} == named


WITHOUT_A_KEY = {
    "accounts above the room": [
        "imports.account_id",
        "imports.organisation_id",
        "exports.account_id",
        "exports.organisation_id",
    ],
    "ids of pairings, visits, requests and events": ["hand_overs.taken"],
    "what a file was narrowed to and which columns it has": [
        "exports.arguments",
        "exports.columns",
        "exports.in_full",
        "exports.narrowed",
    ],
    "whoever did it; never a person": [
        "history_lines.actor_id",
        "history_lines.for_id",
        "arrivals.by_id",
        "case_feedback.by_id",
    ],
    "both records keep their own history": ["history_lines.subject_id", "history_lines.facts"],
    "what a message tells of: a request, a registration": ["messages.subject_id"],
    "values of a message that has been written; words of a file; no ids": [
        "messages.values",
        "imports.sheets",
        "import_rows.cells",
        "import_rows.reasons",
        "people.extra",
    ],
    "ids of jobs: see the test below": ["work.arguments"],
    "moved by merging, for the kinds of files that land as people": ["import_rows.match_id", "import_rows.landed_id"],
    "what undoing a file needs: a record that was merged since is one that something was done with": [
        "import_rows.trace"
    ],
    "figures of what was removed": ["retention_runs.removed", "retention_runs.work_id"],
    "of the exports' own table": ["taken_out.export_id"],
    "what merging itself needs to undo": ["person_merges.values", "person_merges.rows", "person_merges.stayed"],
}
"""Columns that could name a person without a foreign key, and why merging need not (or does) move them."""


def test_every_column_that_could_name_people_without_a_key_was_looked_at():
    could = {
        f"{table.name}.{column.name}"
        for table in Model.metadata.sorted_tables
        for column in table.columns
        if not column.foreign_keys and not column.primary_key
        if (isinstance(column.type, sa.Integer) and column.name.endswith("_id"))
        or isinstance(column.type, sa.JSON | SealedData)
    }

    assert could == {name for names in WITHOUT_A_KEY.values() for name in names}


def test_no_job_is_given_the_id_of_a_person():
    calls = [
        node
        for file in (ROOT / "outreach").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("enqueue")
    ]
    named = {keyword.arg for call in calls for keyword in call.keywords}

    assert len(calls) > 5
    assert {name for name in named if name and "person" in name} == set()


def test_files_that_land_as_people_are_the_ones_whose_rows_are_moved():
    landing = {importer.key for importer in IMPORTERS if importer.record == ("desk.person", "person_id")}

    assert landing == IMPORTS_OF_PEOPLE


# --- merging --------------------------------------------------------------------------------------


def test_everything_of_the_one_moves_to_the_other(session, two, office, organiser):
    kept, gone = two
    leader = an_account("周书记", organisation=office, roles=[Role.LEADER])
    event = an_event(organisation=office, author=organiser)
    registration = a_registration(event=event, person=gone)
    case = a_case(intake=office, person=gone)
    pairing = a_pairing(leader=leader, person=gone)
    a_visit(leaders=[leader], talents=[gone])

    merged(two, organiser)

    assert (registration.person, case.person, pairing.person) == (kept, kept, kept)
    assert doubles.rows_of(gone.id) == {}
    assert kept.reached_by(ContactKind.PHONE) == ["+8619901000036", "+8619901000037"]
    assert (gone.merged_into_id, doubles.where_it_went(gone.id), doubles.where_it_went(kept.id)) == (
        kept.id,
        kept.id,
        None,
    )


def test_the_merged_record_is_in_no_list_search_or_count(two, organiser):
    merged(two, organiser)

    for wanted in (queries.Wanted(), queries.Wanted(text="林知遥"), queries.Wanted(text="lzy")):
        found = queries.find(organiser, wanted)
        assert ([one.id for one in found.page().items], found.count()) == ([two[0].id], 1)
    by_number = queries.find(organiser, queries.Wanted(text="19901000037"))
    assert [one.id for one in by_number.page().items] == [two[0].id]
    assert [one.id for one in queries.alike(organiser, "林知遥", None, None)] == [two[0].id]
    assert [one.id for one in queries.known_people(organiser, identities=[], contacts=[], names=["林知遥"])] == [
        two[0].id
    ]
    with pytest.raises(NotFound):
        queries.person_for(organiser, two[1].id)


def test_one_is_found_by_the_fields_and_places_of_both_until_they_are_two_again(session, two, organiser):
    field = ProfessionalField(name="新材料", position=1)
    session.add(field)
    session.flush()
    kept, gone = two
    assert kept.fields == []  # a page showed them before
    kept.home_town, gone.residence = "雁城市", "深圳"
    gone.fields = [PersonField(field_id=field.id)]
    session.flush()
    narrowed = (queries.Wanted(field=field), queries.Wanted(away=True))

    record = merged(two, organiser)
    as_one = [[one.id for one in queries.find(organiser, wanted).page().items] for wanted in narrowed]
    merging.undo(merge=record, different=False, by=organiser, now=NOW)
    as_two = [[one.id for one in queries.find(organiser, wanted).page().items] for wanted in narrowed]

    assert (as_one, as_two) == ([[kept.id], [kept.id]], [[gone.id], []])


def test_no_value_is_lost_and_the_one_chosen_leads(session, two, organiser):
    kept, gone = two
    kept.employer, gone.employer = "雁城新材", "来雁数据"
    kept.school, gone.school = "湘江大学", "衡州学院"
    gone.home_town = "清江县"
    gone.extra = {"entries": [{"of": "民族", "value": "苗族", "source": "import:3", "row": 9}]}
    session.flush()

    record = merged(two, organiser, leads=["employer"])

    assert (kept.employer, kept.school, kept.home_town) == ("来雁数据", "湘江大学", "清江县")
    assert {(entry["of"], entry["value"]) for entry in kept.aside} == {
        ("employer", "雁城新材"),
        ("school", "衡州学院"),
        ("民族", "苗族"),
    }
    assert [line.act for line in history.lines_of(Subject("person", kept.id))] == ["merged"]
    assert [line.facts for line in history.lines_of(Subject("person", gone.id))] == [
        {"other": kept.id, "merge": record.id, "columns": ["employer"]}
    ]


def test_nothing_new_can_point_to_a_tombstone(session, two, organiser, office):
    merged(two, organiser)
    gone_id = two[1].id

    for wrong in (
        sa.insert(Case.__table__).from_select(["person_id"], sa.select(sa.literal(gone_id))),
        sa.update(PersonContact).values(person_id=gone_id),
        sa.update(Person).where(Person.id == two[0].id).values(merged_into_id=gone_id),
    ):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(wrong)


def test_a_record_that_something_points_to_cannot_become_a_tombstone(session, two):
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(sa.update(Person).where(Person.id == two[1].id).values(merged_into_id=two[0].id))


def test_a_record_is_not_merged_with_itself_nor_with_a_tombstone(two, organiser, office):
    merged(two, organiser)
    third = a_person("林知遥", organisation=office)

    with pytest.raises(SamePerson):
        merging.merge(kept=third, gone=third, leads=[], by=organiser, now=NOW)
    with pytest.raises(MergedMeanwhile):
        merging.merge(kept=third, gone=two[1], leads=[], by=organiser, now=NOW)


def test_of_two_registrations_for_one_event_the_one_with_a_place_stands_and_the_place_goes_on(
    session, two, office, organiser
):
    event = an_event(organisation=office, author=organiser, groups=(("博士", 1), ("企业", 1)))
    waiting = a_registration(event=event, person=two[0], state=RegistrationState.WAITLISTED)
    other = a_person("周启衡", organisation=office, at=a_contact_point())
    placed = a_registration(event=event, person=two[1], group=event.groups[1], queued_at=NOW)
    a_registration(event=event, person=other, group=event.groups[1], state=RegistrationState.WAITLISTED)

    record = merged(two, organiser)

    assert (waiting.state, waiting.reason) == (RegistrationState.CANCELLED, REGISTERED_TWICE)
    assert (placed.state, placed.person) == (RegistrationState.CONFIRMED, two[0])

    assert undone(record, organiser) == []
    assert (waiting.state, waiting.reason, waiting.person) == (RegistrationState.WAITLISTED, None, two[0])
    assert (placed.state, placed.person) == (RegistrationState.CONFIRMED, two[1])


def test_a_place_that_was_given_on_is_not_taken_back_when_the_merge_is_undone(session, two, office, organiser):
    event = an_event(organisation=office, author=organiser, groups=(("博士", 2),))
    a_registration(event=event, person=two[0])
    second = a_registration(event=event, person=two[1], queued_at=BEFORE + timedelta(minutes=1))
    other = a_person("周启衡", organisation=office)
    next_one = a_registration(event=event, person=other, state=RegistrationState.WAITLISTED, queued_at=NOW)

    record = merged(two, organiser)
    assert next_one.state is RegistrationState.CONFIRMED

    assert undone(record, organiser) == [{"table": "registrations", "id": second.id, "why": "queued"}]
    assert (second.state, second.person) == (RegistrationState.WAITLISTED, two[1])
    assert registrations.position_in_line(second) == 1


def test_whoever_came_in_keeps_that_registration_and_two_who_came_in_are_two(session, two, office, organiser):
    event = an_event("人才会客厅", organisation=office, author=organiser)
    early = a_registration(event=event, person=two[0])
    late = a_registration(event=event, person=two[1], queued_at=NOW)
    come_in(session, late)

    record = merged(two, organiser)
    assert (early.state, late.state) == (RegistrationState.CANCELLED, RegistrationState.CONFIRMED)
    undone(record, organiser)

    come_in(session, early)
    with pytest.raises(BothCameIn) as refused:
        merged(two, organiser)
    assert refused.value.values["event"] == "人才会客厅"


def come_in(session, registration):
    facts = {
        "event_id": registration.event_id,
        "registration_id": registration.id,
        "at": NOW,
        "received_at": NOW,
        "way": EntryWay.SCANNED,
        "by_kind": ActorKind.SYSTEM,
        "by_id": None,
        "door_pass_id": None,
    }
    session.add(Arrival(**facts, hash=history.keyed_hash(facts_covered(**facts))))
    session.flush()


def test_what_both_have_is_there_once_and_returns(session, two, office, organiser):
    shared = a_contact_point("+8619901000038")
    field = ProfessionalField(name="新材料", position=1)
    session.add(field)
    for person in two:
        session.add(PersonContact(person=person, contact_point=shared, since=BEFORE))
        person.fields = [PersonField(field=field)]
    leader = an_account("周书记", organisation=office, roles=[Role.LEADER])
    a_visit(leaders=[leader], talents=two)
    first = a_pairing(leader=leader, person=two[0], starts_on=date(2026, 2, 1))
    second = a_pairing(leader=leader, person=two[1], starts_on=date(2026, 1, 1))
    session.flush()
    before = everything(session)

    record = merged(two, organiser)
    assert (len(two[0].contacts), len(two[0].fields)) == (3, 1)
    assert (first.ends_on, second.ends_on) == (date(2026, 11, 24), None)

    assert undone(record, organiser) == []
    assert everything(session) == before
    assert (first.ends_on, second.ends_on) == (None, None)


# --- undoing --------------------------------------------------------------------------------------


def everything(session) -> dict[str, dict[int, int]]:
    """Who every row points to, by table and column."""
    found = {}
    for table, column in guards.references_to_people():
        rows = Model.metadata.tables[table]
        found[f"{table}.{column}"] = dict(session.execute(sa.select(rows.c.id, rows.c[column])).all())
    return found


def test_undoing_lists_what_came_since_and_what_was_corrected(session, two, office, organiser):
    kept, gone = two
    kept.employer, gone.employer, gone.school = "雁城新材", "来雁数据", "湘江大学"
    session.flush()
    record = merged(two, organiser, leads=["employer"])
    case = a_case(intake=office, person=kept)
    operations.change(
        person=kept,
        name=kept.name,
        phone=None,
        email=None,
        values={"school": "衡州学院"},
        seen_at=kept.updated_at,
        by=organiser.actor,
        now=NOW,
    )

    stayed = undone(record, organiser)

    messages = [entry for entry in stayed if entry["table"] == "messages"]
    assert [entry for entry in stayed if entry not in messages] == [
        {"table": "cases", "id": case.id, "why": "since"},
        {"table": "people", "id": kept.id, "column": "school", "why": "changed"},
    ]
    assert (kept.employer, kept.school, kept.aside) == ("雁城新材", "衡州学院", [])
    assert (gone.employer, gone.school, gone.merged_into_id) == ("来雁数据", "湘江大学", None)
    assert (record.undone_by_id, record.stayed) == (organiser.id, stayed)
    assert [line.act for line in history.lines_of(Subject("person", gone.id))] == ["merged_into", "merge_undone"]


def test_a_merge_is_undone_once_and_the_later_one_first(two, office, organiser):
    first = merged(two, organiser)
    third = a_person("林知遥", organisation=office)
    second = merging.merge(kept=third, gone=two[0], leads=[], by=organiser, now=NOW)
    assert doubles.where_it_went(two[1].id) == third.id
    assert list(queries.merged_into(third.id)) == [two[0].id, two[1].id]

    with pytest.raises(UndoTheOtherFirst):
        undone(first, organiser)
    undone(second, organiser)
    undone(first, organiser)
    with pytest.raises(AlreadyUndone):
        undone(first, organiser)

    assert [person.reached_by(ContactKind.PHONE) for person in two] == [["+8619901000036"], ["+8619901000037"]]


def test_a_number_that_changed_hands_since_does_not_come_back(session, two, organiser):
    shared = a_contact_point("+8619901000038")
    for person in two:
        session.add(PersonContact(person=person, contact_point=shared, since=BEFORE))
    session.flush()
    record = merged(two, organiser)
    contact = next(one for one in two[0].contacts if one.contact_point_id == shared.id)
    contact.until, contact.ended = NOW, ContactEnd.HANDED_OVER
    session.flush()

    stayed = undone(record, organiser)

    assert [entry["why"] for entry in stayed] == ["ended"]
    assert "+8619901000038" not in two[0].reached_by(ContactKind.PHONE) + two[1].reached_by(ContactKind.PHONE)


# --- two different people -------------------------------------------------------------------------


def test_whoever_was_told_apart_is_not_asked_about_again_nor_merged(two, organiser):
    merging.tell_apart(one=two[1], other=two[0], by=organiser, now=NOW)

    assert doubles.doubtful(organiser).page.items == []
    with pytest.raises(SaidToBeTwo):
        merged(two, organiser)
    merging.take_back_distinction(one=two[0], other=two[1], by=organiser, now=NOW)
    merged(two, organiser)


def test_what_was_told_apart_from_the_merged_record_is_apart_from_the_one_that_stays(session, two, office, organiser):
    brother = a_person("林知遥", organisation=office)
    merging.tell_apart(one=two[1], other=brother, by=organiser, now=NOW)

    record = merged(two, organiser)
    assert doubles.distinction(two[0].id, brother.id) is not None
    undone(record, organiser, different=True)

    assert doubles.distinction(two[0].id, brother.id) is None
    assert session.scalar(sa.select(sa.func.count()).select_from(Distinction)) == 2


# --- doubtful doubles -----------------------------------------------------------------------------


def traits(**values) -> Traits:
    plain = {"name_key": "林知遥", "sounds": "linzhiyao lzy", "identity": None, "birth": None, "employer": None}
    return Traits(**(plain | {"contacts": frozenset()} | values))


NUMBER = frozenset({"number"})


@pytest.mark.parametrize(
    ("one", "other", "grade"),
    [
        ({}, {}, None),
        ({"identity": "x"}, {"identity": "x", "name_key": "林志遥"}, Grade.NEARLY_SURE),
        ({"contacts": NUMBER}, {"contacts": NUMBER}, Grade.NEARLY_SURE),
        ({"contacts": NUMBER, "birth": "1979-03"}, {"contacts": NUMBER, "birth": "1981"}, Grade.LIKELY),
        ({"contacts": NUMBER, "birth": "1979-03"}, {"contacts": NUMBER, "birth": "1979-03-19"}, Grade.NEARLY_SURE),
        ({"contacts": NUMBER}, {"contacts": NUMBER, "name_key": "林之遥"}, Grade.POSSIBLE),
        ({"contacts": NUMBER}, {"contacts": NUMBER, "name_key": "周启衡", "sounds": "zhouqiheng zqh"}, None),
        ({"contacts": NUMBER}, {"contacts": NUMBER, "name_key": "林知遥博士", "sounds": "x"}, Grade.POSSIBLE),
        ({"birth": "1979-03-19"}, {"birth": "1979-03-19"}, Grade.LIKELY),
        ({"birth": "1979-03"}, {"birth": "1979-03"}, None),
        ({"employer": "雁城新材"}, {"employer": "雁城新材"}, Grade.POSSIBLE),
        ({"employer": "雁城新材", "identity": "x"}, {"employer": "雁城新材", "identity": "y"}, Grade.POSSIBLE),
    ],
)
def test_how_likely_two_records_are_one_person(one, other, grade):
    found = alike(traits(**one), traits(**other))

    assert (found and found[0]) == grade


def test_doubles_are_found_graded_and_within_reach_only(session, office, organiser):
    shared = a_contact_point("+8619901000036")
    county, neighbour = an_organisation("清江县", parent=office), an_organisation("石鼓区", parent=office)
    of_county = an_account(organisation=county, roles=[Role.ORGANISER])
    first = a_person("林知遥", organisation=county, at=shared)
    second = a_person("林知遥", organisation=neighbour, at=shared)
    a_person("周启衡", organisation=county, at=shared)  # a family's number is no reason
    older = a_person("陈砚", organisation=county)
    newer = a_person("陈 砚", organisation=county)
    older.birth = newer.birth = "1988-05-06"
    same = [a_person(name, organisation=county) for name in ("苏禾", "苏和")]
    for person in same:
        person.identity_number = "43139919940803036X"
        merging.operations._identify(person, "43139919940803036X")
    session.flush()

    def pairs(viewer):
        return [(one.one.id, one.other.id, one.grade) for one in doubles.doubtful(viewer).page.items]

    assert pairs(of_county) == [
        (same[0].id, same[1].id, Grade.NEARLY_SURE),
        (older.id, newer.id, Grade.LIKELY),
    ]
    assert (first.id, second.id, Grade.NEARLY_SURE) in pairs(organiser)
    assert doubles.doubtful(organiser).count == 3
    assert [one.other.id for one in doubles.of(organiser, first)] == [second.id]


def test_a_page_of_doubles_takes_as_many_queries_for_many_as_for_few(session, office, organiser, statements):
    def add():
        point = a_contact_point()
        for _ in range(2):
            a_person("林知遥", organisation=office, at=point)

    add()
    session.expire_all()
    with statements() as few:
        doubles.doubtful(organiser)
    for _ in range(15):
        add()
    session.expire_all()
    with statements() as many:
        assert len(doubles.doubtful(organiser).page.items) > 10
    assert len(many) <= len(few) + 1  # the accounts' own rows


def test_pages_of_doubles_hold_each_pair_once_and_each_says_how_many_there_are(session, office, organiser):
    for number in range(doubles.PAGE + 3):
        for _ in range(2):
            a_person(f"林知{number}", organisation=office).employer = "雁城新材"
    session.flush()

    first = doubles.doubtful(organiser)
    second = doubles.doubtful(organiser, first.page.next)
    pairs = [(one.one.id, one.other.id) for one in (*first.page.items, *second.page.items)]

    assert first.count == second.count == len(set(pairs)) == len(pairs) == doubles.PAGE + 3


@pytest.mark.parametrize("alone", [{"employer": "雁城新材"}, {"birth": "1988-05-06"}])
def test_one_who_shares_a_name_with_another_and_the_rest_with_a_third_is_nobodys_double(
    session, office, organiser, alone
):
    first, namesake, third = (a_person(name, organisation=office) for name in ("林知遥", "林知遥", "苏禾"))
    for person in (first, third):
        for name, value in alone.items():
            setattr(person, name, value)
    session.flush()

    assert doubles.doubtful(organiser).page.items == []
    namesake.employer, namesake.birth = first.employer, first.birth
    session.flush()
    assert [(one.one.id, one.other.id) for one in doubles.doubtful(organiser).page.items] == [(first.id, namesake.id)]
