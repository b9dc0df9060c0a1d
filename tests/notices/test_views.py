import pytest


@pytest.mark.parametrize("path", ["/desk/sms"])
def test_a_stranger_sees_no_codes(client, path):
    assert client.get(path).status_code in {302, 303}
