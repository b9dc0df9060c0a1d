import re
import subprocess
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from tests.machine import ROOT

CHINESE = ROOT / "translations" / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
HAN = re.compile(r"[\u4e00-\u9fff]")
PARAMETER = re.compile(r"%\((\w+)\)")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The sentences of the source as they stand now."""
    pot = tmp_path_factory.mktemp("messages") / "messages.pot"
    subprocess.run(["make", "-s", "pot", f"POT={pot}"], cwd=ROOT, check=True)
    return read(pot)


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    return read(CHINESE, "zh_Hans_CN")


def read(file: Path, locale: str | None = None) -> Catalog:
    with file.open("rb") as opened:
        return read_po(opened, locale=locale)


def texts(of: str | tuple[str, ...]) -> tuple[str, ...]:
    return (of,) if isinstance(of, str) else tuple(of)


def sentences(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def test_every_sentence_of_the_source_has_its_chinese(source: Catalog, chinese: Catalog):
    missing = []
    for message in sentences(source):
        translated = chinese.get(message.id, message.context)
        if translated is None or not translated.string or not all(texts(translated.string)):
            missing.append(message.id)

    assert missing == []


def test_no_chinese_is_kept_for_sentences_that_are_gone(source: Catalog, chinese: Catalog):
    gone = [message.id for message in sentences(chinese) if source.get(message.id, message.context) is None]

    assert gone == []
    assert list(chinese.obsolete) == []


def test_no_translation_is_a_guess(chinese: Catalog):
    assert [message.id for message in sentences(chinese) if message.fuzzy] == []
    assert not chinese.fuzzy, "pybabel leaves a catalogue marked fuzzy uncompiled"


def test_a_translation_uses_only_parameters_the_sentence_has(chinese: Catalog):
    strangers = []
    for message in sentences(chinese):
        known = set(PARAMETER.findall(" ".join(texts(message.id))))
        if set(PARAMETER.findall(" ".join(texts(message.string)))) - known:
            strangers.append(message.id)

    assert strangers == []


def test_the_chinese_never_shouts(chinese: Catalog):
    assert [message.id for message in sentences(chinese) if "！" in "".join(texts(message.string))] == []


def test_the_source_speaks_english(source: Catalog):
    assert [message.id for message in sentences(source) if HAN.search("".join(texts(message.id)))] == []
