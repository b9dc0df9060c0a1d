import pytest

from outreach.web.access import safe_next


@pytest.fixture
def database():
    return "sqlite"


@pytest.mark.parametrize(
    ("given", "onward"),
    [
        ("/my/tickets", "/my/tickets"),
        ("/e/3?from=poster", "/e/3?from=poster"),
        ("", "/home"),
        ("https://evil.example", "/home"),
        ("//evil.example", "/home"),
        ("/\\evil.example", "/home"),
        ("javascript:alert(1)", "/home"),
        ("/a\r\nSet-Cookie: x=1", "/home"),
    ],
)
def test_signing_in_leads_on_within_the_house_only(app, given, onward):
    with app.test_request_context("/", query_string={"next": given}):
        assert safe_next("/home") == onward
