"""Photographs: drawn anew and small, sealed, without what the telephone wrote into them, and for whom they are."""

from io import BytesIO

import pytest
import sqlalchemy as sa
from PIL import Image

from outreach.kernel.actor import SYSTEM
from outreach.liaison.documents.photographs import drawn_anew
from outreach.liaison.models import VisitPhotograph
from outreach.liaison.operations import erase_notes, erase_person, visits
from outreach.liaison.rules.photographs import (
    LARGEST_MEGABYTES,
    LONGEST_SIDE,
    MOST_PHOTOGRAPHS,
    NotAPhotograph,
    TooLarge,
    TooManyPhotographs,
)
from outreach.organisations.rules import Role
from outreach.people.operations import traces_of
from tests import factories
from tests.conftest import NOW
from tests.liaison.test_operations import log

ORIENTATION, MAKE, PLACE = 0x0112, 0x010F, 0x8825


def a_picture(size=(3000, 2000), kind="JPEG", *, turned=False) -> bytes:
    """A picture as a telephone takes it, with its maker and a place in it."""
    picture = Image.new("RGB", size, "#0e6e6e")
    exif = Image.Exif()
    exif[MAKE] = "Seagull Phone"
    exif.get_ifd(PLACE)[1] = "N"
    if turned:
        exif[ORIENTATION] = 6  # held upright: to be shown a quarter turned
    out = BytesIO()
    picture.save(out, kind, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_drawn_small_and_tells_nothing_of_the_telephone(kind):
    [drawn] = drawn_anew([BytesIO(a_picture(kind=kind))])

    with Image.open(BytesIO(drawn)) as picture:
        assert (picture.format, picture.width) == ("JPEG", LONGEST_SIDE)
        assert abs(picture.height - LONGEST_SIDE * 2 / 3) < 2
        assert dict(picture.getexif()) == {}
    assert b"Seagull" not in drawn


def test_a_picture_taken_upright_stands_upright():
    [drawn] = drawn_anew([BytesIO(a_picture(turned=True))])

    with Image.open(BytesIO(drawn)) as picture:
        assert picture.height > picture.width


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7", a_picture()[:2000], b"<svg/>"], ids=["empty", "pdf", "cut", "svg"]
)
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(NotAPhotograph):
        drawn_anew([BytesIO(content)])


def test_a_picture_too_large_is_refused():
    with pytest.raises(TooLarge):
        drawn_anew([BytesIO(b"x" * (LARGEST_MEGABYTES * 1024 * 1024 + 1))])
    bomb = BytesIO()
    Image.new("1", (9000, 9000)).save(bomb, "PNG")
    with pytest.raises(TooLarge):
        drawn_anew([BytesIO(bomb.getvalue())])


def test_pictures_stand_sealed_and_a_visit_is_no_album(city, session):
    visit = log(city, photographs=[b"one", b"two"])

    kept = session.execute(sa.text("SELECT content FROM visit_photographs ORDER BY position")).scalars().all()
    assert all(text.startswith("v1.") for text in kept)
    assert [picture.content for picture in visit.photographs] == [b"one", b"two"]
    with pytest.raises(TooManyPhotographs):
        visits.add_photographs(visit=visit, pictures=[b"x"] * (MOST_PHOTOGRAPHS - 1), by=city.officer.actor, now=NOW)


def test_pictures_go_with_the_notes_and_with_the_person(city, session):
    first, second = log(city, photographs=[b"one"]), log(city, photographs=[b"two"], form_token="another-form-of-its")

    erase_notes(ids=[first.id])
    assert session.scalars(sa.select(VisitPhotograph.visit_id)).all() == [second.id]

    erase_person(person_id=city.talent.id, traces=traces_of(person=city.talent), by=SYSTEM, now=NOW)
    assert session.scalar(sa.select(sa.func.count()).select_from(VisitPhotograph)) == 0


def test_pictures_are_logged_with_the_visit_and_shown_to_who_may_read_its_notes(client, city):
    data = {
        "form_token": "a-form-token-of-its-own",
        "pairings": [str(city.pairing.id)],
        "at": "2026-11-20T09:00",
        "way": "visit",
        "confidential": "y",
        "photographs": [(BytesIO(a_picture()), "a.jpg")],
    }
    made = factories.signed_in(client, city.officer).post("/desk/visits/new", data=data)
    address = made.headers["Location"] + "/photographs/0"
    assert client.get(address).mimetype == "image/jpeg"

    organiser = factories.an_account(organisation=city.office, roles=[Role.ORGANISER])
    assert (
        factories.signed_in(client, organiser).get(address).status_code == 404
    )  # the visit, not its confidential part
    supervisor = factories.an_account(organisation=city.office, roles=[Role.SUPERVISOR])
    assert factories.signed_in(client, supervisor).get(address).status_code == 200


def test_a_file_that_is_no_picture_is_said_beside_its_field_and_the_words_stay(client, city):
    data = {
        "form_token": "a-form-token-of-its-own",
        "pairings": [str(city.pairing.id)],
        "at": "2026-11-20T09:00",
        "way": "visit",
        "situation": "一切都好，孩子上学了",
        "photographs": [(BytesIO(b"%PDF"), "a.pdf")],
    }

    answer = factories.signed_in(client, city.officer).post("/desk/visits/new", data=data)

    assert answer.status_code == 422
    assert "一切都好，孩子上学了" in answer.text
    assert "不是图片" in answer.text
