"""The catalogues: every sentence has its Spanish and its Portuguese, with the same places to fill in.

Sentences are found in the source, so a new one fails here until it is translated: `make messages`.
"""

import re
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from chatbot.text import LOCALES, Translator, catalogue
from tests.support import catalogue as po

# Buttons and words that are the same in a language; everything else that equals its English was forgotten.
SAME = {
    "es": {"Admin", "Bot", "Chats", "Total", "maker", "taker"},
    "pt": {"Admin", "Bot", "Total", "maker", "ok", "taker"},
}


@pytest.fixture(scope="module")
def said():
    """Every sentence with the place where it is said."""
    return po.sentences()


@pytest.fixture(params=po.LANGUAGES)
def language(request):
    """Each language that is translated."""
    return request.param


def test_every_language_has_a_catalogue():
    """English is its own catalogue; every other language we offer has one."""
    assert {"en", *po.LANGUAGES} == set(LOCALES)


def test_sentences_are_found_in_code_and_page(said):
    """Extraction sees what handlers say, what errors mark and what the page holds."""
    assert "Confirm" in said or "Next" in said
    assert "I don't know the exchange “{name}”. These I can read:" in said
    assert "Lock and send" in said


def test_sentences_are_whole():
    """A sentence is never put together before it is translated."""
    assert po.put_together() == []


def test_every_sentence_is_translated(said, language):
    """Nobody meets a sentence in another language than their own."""
    known = catalogue(language)

    assert {msgid: where for msgid, where in said.items() if not known.get(msgid)} == {}


def test_no_translation_is_left_over(said, language):
    """What nobody says any more is no longer translated, and nothing is fuzzy or struck out."""
    entries = po.read(language)

    assert sorted(po.translations(language).keys() - said.keys()) == []
    assert [entry.id for entry in entries if entry.id and entry.fuzzy] == []
    assert list(entries.obsolete) == []


def test_translations_have_the_same_places(said, language):
    """A value that goes into the English goes into the translation, under the same name."""
    different = {
        msgid: text
        for msgid, text in po.translations(language).items()
        if sorted(places(msgid)) != sorted(places(text)) and text
    }

    assert different == {}


def test_translations_are_not_left_in_english(language):
    """A translation that equals its English is one that somebody decided on."""
    same = {
        msgid
        for msgid, text in po.translations(language).items()
        if msgid == text and re.search("[a-z]", msgid)
    }

    assert same - SAME[language] == set()


def test_translations_keep_the_edges(language):
    """A sentence ends as its English does, so that lines put together still read well."""
    known = po.translations(language).items()

    assert [text for msgid, text in known if text and edge(msgid) != edge(text)] == []
    assert [text for _, text in known if text != text.strip()] == []


def test_the_files_change_only_with_their_sentences(language):
    """A catalogue is written the same way on every machine: sorted, without dates, names and lines."""
    assert po.po_file(language).read_bytes() == po.render(language, po.translations(language))


def test_new_sentences_are_added_and_old_ones_dropped(monkeypatch, tmp_path, language):
    """An update keeps translations, adds what is new as empty, and drops what is no longer said."""
    file = tmp_path / language / "keyherald.po"
    monkeypatch.setattr(po, "po_file", lambda _: file)
    monkeypatch.setattr(po, "sentences", lambda: {"One {n}.": "a.py", "Two": "b.py"})
    file.parent.mkdir()
    file.write_bytes(po.render(language, {"Two": "Dos", "Three": "Tres"}))

    assert po.update(language) == ["One {n}."]
    assert po.translations(language) == {"Two": "Dos", "One {n}.": ""}
    assert "Tres" not in file.read_text()
    with file.open("rb") as written:
        assert read_po(written).charset == "utf-8"


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translator_speaks(said, locale):
    """Each sentence can be said with its values in each language."""
    for msgid in said:
        filled = (
            Translator(locale).say(msgid, **dict.fromkeys(set(places(msgid)), "x")) if simple(msgid) else "x"
        )

        assert filled


def places(text):
    """Return the names of the places in a sentence; the page's own double braces have none."""
    return re.findall(r"\{([a-z_0-9]+)[^{}]*\}", text)


def simple(msgid):
    """Tell whether Python can format the sentence."""
    try:
        return all(name is None or name.isidentifier() for _, name, _, _ in Formatter().parse(msgid))
    except ValueError:
        return False


def edge(text):
    """Return the mark at the end of a sentence, if it ends with one."""
    return text[-1] if text[-1:] in ".:?!…" else ""
