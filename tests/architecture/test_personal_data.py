"""Where personal data stand, and what an erasure does there. A new place must be thought about before it exists."""

import sqlalchemy as sa
from flask import Flask

from outreach.kernel.database import db
from outreach.kernel.sealing import Sealed, SealedBytes, SealedData
from outreach.privacy.operations import REMOVE
from outreach.privacy.queries import EXPIRED
from outreach.privacy.rules import Kept

# What an erasure (privacy.operations.erase) does with the row that points at a person.
POINTS_AT_A_PERSON = {
    "cases.person_id": "stays: requests are counted; cases.operations.erase_person erases their words",
    "consents.person_id": "stays: the proof that somebody agreed, without the number",
    "distinctions.one_id": "deleted",
    "distinctions.other_id": "deleted",
    "erasures.person_id": "stays: that it was asked and done",
    "guardians.child_id": "deleted",
    "looks.person_id": "stays: that somebody looked; the reason is erased",
    "messages.person_id": "stays: that a message was sent; recipient and words are erased",
    "pairings.person_id": "stays, ended: pairings are counted",
    "people.merged_into_id": "stays: a record that went into another is emptied with it",
    "people_taken_out.person_id": "stays: that a list held somebody; the person is struck out of its reason",
    "person_contacts.person_id": "deleted",
    "person_fields.person_id": "deleted",
    "person_merges.gone_id": "deleted: a merge cannot be undone after an erasure",
    "person_merges.kept_id": "deleted: a merge cannot be undone after an erasure",
    "person_words.person_id": "deleted",
    "registrations.person_id": "stays: places and arrivals are counted; number and reason are erased",
    "not_asked_again.person_id": "stays: it keeps nobody's words, and who does not want to be asked is not asked",
    "survey_invitations.person_id": "stays: that they were asked; what they answered is deleted, the number cut off",
    "visit_talents.person_id": "stays: visits are counted",
}
SEALED = {
    "accounts.email": "of those who work here",
    "accounts.phone": "of those who work here",
    "answer_drafts.text": "deleted",
    "answers.text": "erased",
    "case_feedback.words": "erased",
    "case_extensions.reason": "erased",
    "case_parts.question": "erased",
    "case_parts.text": "erased",
    "cases.title": "erased",
    "cases.words": "erased",
    "contact_points.value": "deleted with the last person who is reached there",
    "erasures.how": "erased",
    "export_pieces.content": "deleted where the person stands in the file, and after three days",
    "exports.arguments": "the person is struck out",
    "exports.narrowed": "the person is struck out",
    "exports.reason": "the person is struck out",
    "exports.title": "the person is struck out",
    "guardians.name": "deleted with the child",
    "history_words.text": "deleted; the lines and their hashes stay",
    "import_files.content": "deleted once the file is read",
    "import_rows.cells": "erased where the person stands in them",
    "import_rows.reasons": "erased with the row",
    "import_rows.trace": "erased with the row",
    "imports.filename": "the person is struck out",
    "imports.sheets": "the person is struck out",
    "looks.reason": "erased",
    "messages.body": "erased",
    "messages.recipient": "erased",
    "messages.subject": "erased",
    "messages.values": "erased",
    "people.birth": "erased",
    "people.extra": "erased",
    "people.identity_number": "erased",
    "people.remark": "erased",
    "person_merges.values": "deleted",
    "planned_visits.cancel_reason": "erased",
    "planned_visits.note": "erased",
    "reach_attempts.note": "erased",
    "survey_invitations.situation": "erased",
    "survey_needs.words": "deleted",
    "taken_out.reason": "the person is struck out",
    "visit_photographs.content": "deleted",
    "visits.advice": "erased; where others were met too the person is struck out",
    "visits.situation": "erased; where others were met too the person is struck out",
}

WITH_THE_PERSON = "as long as the record of the person, who can have it erased"
OF_THE_OFFICE = "of those who work here, or of the office's own work: nothing of those it serves"
NOBODYS = "tells nothing of anybody"
# How long each table keeps what it holds: by a kind that goes every night (privacy.rules.RULES), or why not.
KEPT_FOR: dict[str, Kept | str] = {
    "absences": OF_THE_OFFICE,
    "accounts": OF_THE_OFFICE,
    "activation_links": OF_THE_OFFICE,
    "answer_drafts": Kept.REQUESTS,
    "answers": Kept.REQUESTS,
    "answers_approved": NOBODYS,
    "arrivals": "stays: it names a registration, which is cut off the person",
    "attempts": "two days, deleted whenever somebody signs in; keys are blind hashes",
    "calendar_days": NOBODYS,
    "calendar_years": NOBODYS,
    "case_extensions": Kept.REQUESTS,
    "case_feedback": Kept.REQUESTS,
    "case_parts": Kept.REQUESTS,
    "case_terms": NOBODYS,
    "case_rungs": NOBODYS,
    "case_years": NOBODYS,
    "calendar_feeds": OF_THE_OFFICE,
    "cases": Kept.REQUESTS,
    "consent_texts": NOBODYS,
    "consents": Kept.CONSENTS,
    "contact_codes": Kept.SIGN_INS,
    "contact_points": "goes with the last person who is reached there",
    "distinctions": WITH_THE_PERSON,
    "door_invitations": OF_THE_OFFICE,
    "door_passes": Kept.DOOR_PASSES,
    "erasures": "stays: that it was asked and done; the person it leads to is emptied, and so are its words",
    "event_words": NOBODYS,
    "events": OF_THE_OFFICE,
    "export_pieces": "three days, deleted by a nightly errand of its own",
    "exports": Kept.LISTS,
    "grants": OF_THE_OFFICE,
    "guardians": WITH_THE_PERSON,
    "hand_overs": OF_THE_OFFICE,
    "history_lines": "stays: ids, codes and times only; its chain is the proof of everything else",
    "history_words": "go with the words of the record they belong to",
    "import_files": "minutes: deleted once the file is read",
    "import_rows": Kept.IMPORT_ROWS,
    "imports": "stays: that a file came in and what became of it; its cells go with its rows",
    "installation": NOBODYS,
    "key_marks": NOBODYS,
    "looks": Kept.LOOKS,
    "marks": NOBODYS,
    "messages": Kept.MESSAGES,
    "organisations": OF_THE_OFFICE,
    "not_asked_again": WITH_THE_PERSON,
    "pairing_reviews": OF_THE_OFFICE,
    "pairings": "stays: they are the office's ledger; the person it leads to can have themselves erased",
    "people": Kept.PEOPLE,
    "people_taken_out": Kept.LISTS,
    "person_contacts": WITH_THE_PERSON,
    "person_fields": WITH_THE_PERSON,
    "person_merges": WITH_THE_PERSON,
    "person_words": WITH_THE_PERSON,
    "place_groups": NOBODYS,
    "planned_visits": "stays, with its pairing; a note goes with those of the visit, a reason with the person",
    "professional_fields": NOBODYS,
    "programmes": NOBODYS,
    "reach_attempts": Kept.REQUESTS,
    "registrations": Kept.REGISTRATIONS,
    "retention_rules": OF_THE_OFFICE,
    "retention_runs": NOBODYS,
    "standard_answers": OF_THE_OFFICE,
    "survey_invitations": Kept.SURVEYS,
    "survey_needs": Kept.SURVEYS,
    "surveys": OF_THE_OFFICE,
    "taken_out": Kept.LISTS,
    "talent_classes": NOBODYS,
    "timetable": NOBODYS,
    "topic_routes": NOBODYS,
    "trusted_devices": OF_THE_OFFICE,
    "venues": NOBODYS,
    "visit_cases": "stays: it joins a visit to a request, which is cut off the person",
    "visit_leaders": OF_THE_OFFICE,
    "visit_photographs": Kept.VISIT_NOTES,
    "visit_talents": "stays: visits are counted; the person it leads to can have themselves erased",
    "visits": Kept.VISIT_NOTES,
    "ways_in": OF_THE_OFFICE,
    "work": Kept.WORK,
}

SAY = "say here what an erasure does with it, do it in the feature's erase operation, and let tests/privacy prove it"


def test_an_erasure_knows_every_foreign_key_to_people(app: Flask):
    found = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if column.name == "person_id" or any(key.column.table.name == "people" for key in column.foreign_keys)
    }

    assert found == POINTS_AT_A_PERSON.keys(), SAY


def test_an_erasure_knows_every_sealed_column(app: Flask):
    found = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed | SealedData | SealedBytes)
    }

    assert found == SEALED.keys(), SAY


def test_every_table_says_how_long_it_keeps_what_it_holds(app: Flask):
    tables = {table.name for table in db.metadata.sorted_tables if table.name != "alembic_version"}

    assert tables == KEPT_FOR.keys(), "say here how long it is kept, and carry it out every night (privacy.rules.RULES)"


def test_every_kind_that_is_kept_for_a_time_goes_when_it_is_up(app: Flask):
    assert set(Kept) == EXPIRED.keys() == REMOVE.keys()
    assert set(Kept) == {kept for kept in KEPT_FOR.values() if isinstance(kept, Kept)}


def test_no_table_has_a_place_for_scans_of_identity_papers(app: Flask):
    """A leaked scan cannot be changed like a password. Files come in as lists only, and are deleted once read."""
    binary = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedBytes | sa.LargeBinary)
    }

    assert binary == {
        "import_files.content",
        "export_pieces.content",
        "marks.png",
        "visit_photographs.content",  # drawn anew and small, of a visit; deleted with its notes and with the person
    }


def test_no_page_asks_for_a_picture_or_a_file_but_the_import(app: Flask):
    from outreach.config import ROOT  # noqa: PLC0415 -- only this test reads templates

    asking = {
        str(template.relative_to(ROOT / "templates"))
        for template in (ROOT / "templates").rglob("*.html")
        if 'type="file"' in template.read_text()
        or "multipart/form-data" in template.read_text()
        or 'capture="' in template.read_text()
    }

    assert asking <= {"components/form.html", "intake/upload.html", "organisations/city.html", "liaison/show.html"}
