import os
import stat

import pytest

from outreach.kernel.sealing import Keyring, SealBroken


@pytest.fixture
def ring():
    return Keyring.fresh()


@pytest.mark.parametrize(
    "text", ["+8619900000036", "", "𠮷䶮 😀\n第二行", "x" * 5000], ids=["phone", "empty", "rare", "long"]
)
def test_what_was_sealed_opens_again(ring, text):
    sealed = ring.seal(text, purpose="contact.value")

    assert ring.open(sealed, purpose="contact.value") == text
    assert text == "" or text not in sealed


def test_the_same_text_is_never_sealed_the_same_way_twice(ring):
    assert ring.seal("a", purpose="p") != ring.seal("a", purpose="p")


def test_a_value_moved_to_another_column_does_not_open(ring):
    sealed = ring.seal("431399197903190126", purpose="person.identity_number")

    with pytest.raises(SealBroken):
        ring.open(sealed, purpose="contact.value")


@pytest.mark.parametrize("broken", ["", "v1", "v1.k9.AAAA", "v1.k1.!!!", "v1.k1.AAAA", "plain"])
def test_what_is_not_sealed_by_these_keys_does_not_open(ring, broken):
    with pytest.raises(SealBroken):
        ring.open(broken, purpose="p")


def test_an_altered_value_does_not_open(ring):
    sealed = ring.seal("张三", purpose="p")
    altered = sealed[:-2] + ("A" if sealed[-2] != "A" else "B") + sealed[-1]

    with pytest.raises(SealBroken):
        ring.open(altered, purpose="p")


def test_equal_values_share_an_index_within_a_purpose_and_a_keyring_only(ring):
    index = ring.blind("+8619900000036", purpose="phone")

    assert index == ring.blind("+8619900000036", purpose="phone")
    assert index != ring.blind("+8619900000036", purpose="email")
    assert index != Keyring.fresh().blind("+8619900000036", purpose="phone")


def test_keys_are_kept_in_a_file_only_its_owner_reads_and_never_overwritten(ring, tmp_path):
    path = tmp_path / "keys.json"
    ring.write(path)

    assert Keyring.read(path) == ring
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with pytest.raises(FileExistsError):
        Keyring.fresh().write(path)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"sealing": 3}', '{"sealing": {"k1": "zz"}}'])
def test_a_damaged_key_file_says_so(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)

    with pytest.raises(ValueError, match=r"keys\.json|Expecting|hex"):
        Keyring.read(path)
