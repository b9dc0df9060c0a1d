"""Finding a request by its number and the end of its link: who finds it, and what the others learn (nothing)."""

import pytest

from outreach.cases.rules.asking import CODE_SIGNS, request_number
from outreach.web import limits


@pytest.fixture(autouse=True)
def nothing_tried_yet(app):
    limits.mount(app)


def find(client, number, code):
    return client.post("/r", data={"number": number, "code": code})


@pytest.mark.parametrize("typed", ["2026-0418", " 2026-0418 ", "20260418", "２０２６－０４１８", "2026 0418"])
def test_a_number_is_understood_however_it_is_typed(typed):
    assert request_number(typed) == "2026-0418"


@pytest.mark.parametrize("typed", ["", "2026", "2026-1", "x", "2026-0418-1", "%", "9" * 50])
def test_what_is_no_number_is_none(typed):
    assert request_number(typed) is None


def test_number_and_code_lead_to_the_request(client, case):
    assert client.get("/r").status_code == 200

    found = find(client, case.number, f" {case.token[-CODE_SIGNS:].upper()} ")

    assert (found.status_code, found.location) == (303, f"/r/{case.token}")


def test_a_wrong_code_and_a_number_that_does_not_exist_look_the_same(client, case):
    wrong, absent = find(client, case.number, "0" * CODE_SIGNS), find(client, "2026-9999", "0" * CODE_SIGNS)

    assert wrong.status_code == absent.status_code == 422
    assert wrong.text == absent.text.replace("2026-9999", case.number)
    assert case.title not in wrong.text
    for code in ("", "x", "码", case.token[-CODE_SIGNS + 1 :], case.token, "0" * 100):
        assert find(client, case.number, code).status_code == 422


def test_after_some_tries_the_right_code_does_not_help_either(client, case):
    for number in (case.number, "2026-9999"):
        codes = [find(client, number, "0" * CODE_SIGNS).status_code for _ in range(limits.FINDING.amount + 1)]
        assert codes == [*[422] * limits.FINDING.amount, 429]

    assert find(client, case.number, case.token[-CODE_SIGNS:]).status_code == 429
