"""The sentences of Keyherald and their catalogues: collected, compared, brought up to date.

`make messages` (or `python -m tests.support.catalogue`) adds new sentences to the Spanish and Portuguese
files, untranslated, and drops those that nobody says any more; `tests/test_catalogue.py` asks for the rest.
"""

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from chatbot.web.keypage import page_sentences
from tests.support.sources import ROOT, dotted, nodes, parse, place, python_files

LANGUAGES = ("es", "pt")
HEADER = "# {language} sentences of Keyherald; `make messages` adds new ones, untranslated."
NAMES = {"es": "Spanish", "pt": "Portuguese"}


def sentences() -> dict[str, str]:
    """Return every msgid that a person may read, with one place where it is said."""
    found = dict.fromkeys(page_sentences(), "chatbot/web/page/key.html")
    for path in python_files("chatbot", "handlers"):
        for said in _said(path):
            literals = (part.value for part in _choices(said) if isinstance(part, ast.Constant))
            found.update({text: place(path, said.lineno) for text in literals if isinstance(text, str)})
    return found


def put_together() -> list[str]:
    """Return where a sentence is put together before it is translated, so that no catalogue can hold it."""
    wrong = ast.JoinedStr | ast.BinOp
    paths = python_files("chatbot", "handlers")
    return [
        place(path, said.lineno)
        for path in paths
        for said in _said(path)
        if any(isinstance(part, wrong) for part in _choices(said))
    ]


def po_file(language: str) -> Path:
    """Return the catalogue of a language."""
    return ROOT / "chatbot/locales" / language / "LC_MESSAGES" / "keyherald.po"


def read(language: str) -> Catalog:
    """Read a catalogue; one that is not there yet is empty."""
    path = po_file(language)
    text = path.read_bytes() if path.exists() else b""
    return read_po(io.BytesIO(text), locale=language, ignore_obsolete=False)


def render(language: str, translations: dict[str, str]) -> bytes:
    """Return the file of a language: sorted, and without anything that changes by itself."""
    lines = [HEADER.format(language=NAMES[language]), 'msgid ""', 'msgstr ""', rf'"Language: {language}\n"']
    lines += [r'"Content-Type: text/plain; charset=utf-8\n"', r'"Content-Transfer-Encoding: 8bit\n"', "", ""]
    catalog = Catalog(locale=language)
    for msgid, text in translations.items():
        catalog.add(msgid, text)
    written = io.BytesIO()
    write_po(written, catalog, width=108, no_location=True, omit_header=True, sort_output=True)
    return "\n".join(lines).encode() + written.getvalue().strip(b"\n") + b"\n"


def update(language: str) -> list[str]:
    """Bring the catalogue of a language up to date and return what still wants its translation."""
    known = translations(language)
    wanted = {msgid: known.get(msgid, "") for msgid in sentences()}
    po_file(language).parent.mkdir(parents=True, exist_ok=True)
    po_file(language).write_bytes(render(language, wanted))
    return [msgid for msgid, text in wanted.items() if not text]


def translations(language: str) -> dict[str, str]:
    """Return what a catalogue holds, by msgid."""
    return {str(entry.id): str(entry.string) for entry in read(language) if entry.id}


def _said(path: Path) -> Iterator[ast.expr]:
    # `translator.say`, or `say` for short; where a module has a function of that name, it is not ours.
    own = any(
        function.name == "say" for function in parse(path).body if isinstance(function, ast.FunctionDef)
    )
    for call in nodes(path, ast.Call):
        method = isinstance(call.func, ast.Attribute) and call.func.attr == "say"
        if call.args and (method or dotted(call.func) == "mark" or (dotted(call.func) == "say" and not own)):
            yield call.args[0]


def _choices(said: ast.expr) -> Iterator[ast.expr]:
    if isinstance(said, ast.IfExp):
        yield from _choices(said.body)
        yield from _choices(said.orelse)
    else:
        yield said


def main() -> int:
    """Update both languages and list what is left to translate."""
    for language in LANGUAGES:
        missing = update(language)
        print(f"{NAMES[language]}: {len(missing)} to translate", *missing, sep="\n  ")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
