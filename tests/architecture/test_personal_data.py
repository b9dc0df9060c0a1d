"""Where personal data stand, and what an erasure does there. A new place must be thought about before it exists."""

import sqlalchemy as sa
from flask import Flask

from outreach.kernel.database import db
from outreach.kernel.sealing import Sealed, SealedBytes, SealedData

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
    "visit_talents.person_id": "stays: visits are counted",
}
SEALED = {
    "accounts.email": "of those who work here",
    "accounts.phone": "of those who work here",
    "answers.text": "erased",
    "case_feedback.words": "erased",
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
    "reach_attempts.note": "erased",
    "taken_out.reason": "the person is struck out",
    "visits.advice": "erased; where others were met too the person is struck out",
    "visits.situation": "erased; where others were met too the person is struck out",
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

    assert asking <= {"components/form.html", "intake/upload.html", "organisations/city.html"}
