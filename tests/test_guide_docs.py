"""The pages in docs/guides say what the chat says."""

import re

import pytest

from chatbot.exchanges import OTHER, build, discover
from chatbot.exchanges._guides import load_guide
from chatbot.text import LOCALES
from tests.support import guide_docs
from tests.support.clock import VirtualClock

GUIDES = [(name, locale) for name in discover() for locale in LOCALES]


def test_the_pages_are_as_their_source() -> None:
    """`python -m tests.support.guide_docs` writes them anew, and takes away what nothing leads to."""
    written = {path: path.read_text("utf-8") for path in guide_docs.PAGES.rglob("*.md")}
    assert written == guide_docs.pages()


@pytest.mark.parametrize(("name", "locale"), GUIDES)
def test_a_page_holds_the_whole_guide(name: str, locale: str) -> None:
    """Every line of every step and of every answer, the ticks on and off, and the exchange's own page."""
    page = (guide_docs.PAGES / locale / f"{name}.md").read_text("utf-8")
    guide, exchange = load_guide(name, locale), build({}, VirtualClock())[name]
    sections = [(step.title, step.lines) for step in guide.steps]
    sections += [(stuck.title, stuck.lines) for stuck in guide.stuck]
    for title, lines in sections:
        assert title in page
        assert [line for line in lines if line not in page] == []
    for label in exchange.labels.values():
        assert f"] {label} — " in page or f"] **{label}**" in page
    assert f"<{exchange.key_page}>" in page


@pytest.mark.parametrize(("name", "locale"), GUIDES)
def test_steps_are_numbered_as_one_goes(name: str, locale: str) -> None:
    """Without a gap; the step for trading stands under the one for looking and has no number of its own."""
    page = (guide_docs.PAGES / locale / f"{name}.md").read_text("utf-8")
    numbers = [int(found) for found in re.findall(r"^## (\d+)\. ", page, re.MULTILINE)]
    steps = [step for step in load_guide(name, locale).steps if step.when != "trade"]
    assert numbers == list(range(1, len(steps) + 1))


def test_the_index_leads_to_every_page() -> None:
    """In each language, and to nothing that is not there."""
    index = (guide_docs.PAGES / "README.md").read_text("utf-8")
    targets = set(re.findall(r"\]\((\S+?)\)", index))
    assert targets == {f"{locale}/{name}.md" for locale in LOCALES for name in (*discover(), OTHER)}
    assert all((guide_docs.PAGES / target).is_file() for target in targets)
