"""The guides of all exchanges: short steps that end at the link, an answer for whatever can go wrong.

What holds for every guide is asked here of every file there is; what published guides say about one exchange
is looked up in `test_<exchange>_guide.py`, row by row of its checklist.
"""

import importlib
import re

import pytest

from chatbot.domain.conversations import Guide, GuideError, Step, Stuck, parse_guide
from chatbot.domain.permissions import POWERS, Permission, Policy
from chatbot.errors import Trouble, Unknown
from chatbot.exchanges import OTHER, build, discover
from chatbot.exchanges._guides import load_guide
from chatbot.text import LOCALES, Translator
from handlers.notifications import guide as cards
from tests.support.bot import options
from tests.support.clock import VirtualClock
from tests.support.sources import ROOT

GUIDES = ROOT / "chatbot/exchanges/guides"
MOST_WORDS = 60
MOST_NEXT = 9
# Places that are filled in when a text is shown; a guide for many exchanges needs the name of each.
PLACES = {"exchange", "minutes"}
# What no document of an exchange has a code for, and any exchange can meet.
EVERYWHERE = {Trouble.UNREACHABLE, Trouble.MAINTENANCE, Trouble.REGION}
EXCHANGES = build({}, VirtualClock())


def sections(guide: Guide) -> dict[str, Step | Stuck]:
    """Return every step and trouble of a guide by its key."""
    found: list[Step | Stuck] = [*guide.steps, *guide.stuck]
    return {section.key: section for section in found}


def every_guide():
    """Return (exchange, language) of every guide file there is."""
    return sorted((path.stem, path.parent.name) for path in GUIDES.glob("*/*.md"))


def own_guides():
    """Return (exchange, language) of the guides to one exchange each."""
    return [(exchange, locale) for exchange, locale in every_guide() if exchange != OTHER]


def shown_steps(exchange, locale, **changed):
    """Return every step of a guide as the chat shows it, with the guide's own steps beside."""
    chosen, t, guide = options(**changed), Translator(locale), load_guide(exchange, locale)
    steps = guide.shown(egress=bool(chosen.egress), trade=chosen.policy.trade)
    doors = ("https://bot.example.com/key#x", "https://bot.example.com/key-app")
    return [
        (step, cards.step(guide, steps, at, EXCHANGES[exchange], chosen, t, doors))
        for at, step in enumerate(steps)
    ]


def test_every_exchange_has_a_guide_in_every_language():
    """Whoever adds an exchange writes its three guides; one more leads to all the others."""
    wanted = sorted((exchange, locale) for exchange in (*discover(), OTHER) for locale in LOCALES)
    assert every_guide() == wanted


@pytest.mark.parametrize(("exchange", "locale"), every_guide())
def test_sections_are_short(exchange, locale):
    """Nobody reads more than 60 words at a time; a title fits on a button."""
    found = sections(load_guide(exchange, locale))

    assert [key for key, section in found.items() if len(" ".join(section.lines).split()) > MOST_WORDS] == []
    assert [section.title for section in found.values() if len(section.title) > 40] == []


@pytest.mark.parametrize(("exchange", "locale"), every_guide())
def test_languages_have_the_same_structure(exchange, locale):
    """A guide has the same steps, conditions, buttons and troubles in every language."""
    guide, english = load_guide(exchange, locale), load_guide(exchange, "en")

    assert [shape(step) for step in guide.steps] == [shape(step) for step in english.steps]
    assert [(s.key, s.cause) for s in guide.stuck] == [(s.key, s.cause) for s in english.stuck]


def shape(step):
    """Return what a step is beside its words."""
    return (step.key, step.when, step.ticks, step.page, step.link, step.skip, len(step.lines))


@pytest.mark.parametrize(("exchange", "locale"), every_guide())
@pytest.mark.parametrize("egress", [False, True])
@pytest.mark.parametrize("trade", [False, True])
def test_next_always_leads_to_the_link(exchange, locale, egress, trade):
    """At most nine times *Next* leads to the link, past one tick list and one button to the exchange's page."""
    shown = load_guide(exchange, locale).shown(egress=egress, trade=trade)

    assert len(shown) - 1 <= MOST_NEXT
    assert [step.key for step in shown if step.link] == [shown[-1].key]
    assert len([step for step in shown if step.ticks]) == 1
    assert any(step.page for step in shown)
    assert any(step.when == "egress" for step in shown) is egress


@pytest.mark.parametrize(("exchange", "locale"), own_guides())
def test_every_step_says_where_one_is_and_leads_on(exchange, locale):
    """Its number out of how many, *Next* until the link, *Back* from the second on, *I'm stuck* always."""
    t = Translator(locale)
    shown = shown_steps(exchange, locale, egress=("192.0.2.7",))
    for at, (step, message) in enumerate(shown):
        labels = [button.text for row in message.buttons for button in row]
        assert str(at + 1) in message.plain().splitlines()[1]
        assert str(len(shown)) in message.plain().splitlines()[1]
        assert (t.say("Next") in labels) is not step.link
        assert (t.say("Back") in labels) is bool(at)
        assert (t.say("Open secure page") in labels) is step.link
        assert t.say("I'm stuck") in labels


@pytest.mark.parametrize(("exchange", "locale"), own_guides())
def test_a_button_opens_the_exchange_s_own_key_page(exchange, locale):
    """Nobody searches for the page, and no other address is ever offered."""
    urls = {
        button.url
        for _, message in shown_steps(exchange, locale)
        for row in message.buttons
        for button in row
        if button.url and not button.url.startswith("https://bot.example.com/")
    }
    assert urls == {EXCHANGES[exchange].key_page}


@pytest.mark.parametrize(("exchange", "locale"), own_guides())
@pytest.mark.parametrize("trade", [False, True])
def test_the_tick_list_is_computed_from_the_exchange_s_own_labels(exchange, locale, trade):
    """On what the purpose needs, off every other label and all that has none; withdrawals are never on."""
    venue = EXCHANGES[exchange]
    policy = Policy(frozenset(), frozenset(), trade)
    (text,) = [m.plain() for step, m in shown_steps(exchange, locale, policy=policy) if step.ticks]
    on = {line[2:] for line in text.splitlines() if line.startswith("☑ ")}
    off = {line[2:].partition(" — ")[0] for line in text.splitlines() if line.startswith("☐ ")}
    wanted = {venue.labels[p] for p in (*venue.tick, *(venue.tick_to_trade if trade else ()))}

    assert on == wanted
    assert off >= set(venue.labels.values()) - wanted
    assert len(off) == len(set(venue.labels.values()) - wanted) + 1
    assert venue.labels.get(Permission.WITHDRAW) not in on


@pytest.mark.parametrize("exchange", discover())
def test_no_guide_asks_for_more_than_it_needs(exchange):
    """To look: view rights alone. To trade: orders besides, never transfers or withdrawals."""
    venue = EXCHANGES[exchange]

    assert not POWERS & set(venue.tick)
    assert set(venue.tick_to_trade) & POWERS == {Permission.TRADE}


@pytest.mark.parametrize(("exchange", "locale"), own_guides())
def test_every_trouble_has_its_answer(exchange, locale):
    """Each meaning a refusal can have leads straight to what to do, and no answer is for what can't happen."""
    errors = importlib.import_module(f"chatbot.exchanges.{exchange}").ERRORS
    possible = {refusal.trouble for refusal in errors.values()} - {Trouble.UNKNOWN}
    causes = [Trouble(stuck.cause) for stuck in load_guide(exchange, locale).stuck if stuck.cause]

    assert len(set(causes)) == len(causes)
    assert possible - set(causes) == set()
    assert set(causes) - possible - EVERYWHERE == set()


@pytest.mark.parametrize("locale", LOCALES)
def test_the_guide_to_all_others_answers_what_any_exchange_can_say(locale):
    """Whatever an exchange refuses with has an answer, as far as it can be told for all of them."""
    causes = [Trouble(stuck.cause) for stuck in load_guide(OTHER, locale).stuck if stuck.cause]

    assert len(set(causes)) == len(causes)
    assert set(causes) >= {Trouble.BAD_KEY, Trouble.NO_PERMISSION, Trouble.IP_BLOCKED, Trouble.RATE_LIMIT}


@pytest.mark.parametrize(("exchange", "locale"), every_guide())
def test_the_text_is_plain(exchange, locale):
    """Chats get structure, so the text has no markup, no stray place and no key drawn twice."""
    guide = load_guide(exchange, locale)
    found = sections(guide)
    lines = [line for section in found.values() for line in (section.title, *section.lines)]

    assert len(found) == len(guide.steps) + len(guide.stuck)
    assert [line for line in lines if any(mark in line for mark in ("*", "`", "_", "[", "<"))] == []
    assert {place for line in lines for place in re.findall(r"\{(.*?)\}", line)} <= PLACES
    assert [line for line in lines if line.count("{") != line.count("}")] == []
    assert [line for line in lines if line != line.strip()] == []


# What is asked of all guides alike, with the words it is found by in each language.
EVERY_GUIDE = {
    "nobody must finish today": ("days later", "días después", "dias depois"),
    "we only read": ("We only read", "Solo leemos", "Só lemos"),
    "menus are named with care": ("sually", "ormalmente", "ormalmente"),
    "withdrawals are never ticked": ("ever tick withdrawals", "unca marques retiros", "unca marque saques"),
    "secrets are kept well": ("password manager", "gestor de contraseñas", "gerenciador de senhas"),
    "and never go into a chat": ("into a chat", "en un chat", "em um chat"),
    "a name to know the key by": ("“Keyherald”", "“Keyherald”", "“Keyherald”"),
    "it ends with the link": ("our secure page", "nuestra página segura", "nossa página segura"),
}


@pytest.mark.parametrize(("exchange", "locale"), every_guide())
@pytest.mark.parametrize("row", EVERY_GUIDE)
def test_what_holds_for_all_is_said_in_each(exchange, locale, row):
    """In the steps themselves, where nobody can miss it."""
    steps = "\n".join(line for step in load_guide(exchange, locale).steps for line in step.lines)

    assert EVERY_GUIDE[row][LOCALES.index(locale)] in steps


def test_a_language_without_a_guide_gets_the_english_one():
    """A person is never left without a guide for want of a translation."""
    assert load_guide("bitso", "de") == load_guide("bitso", "en")


def test_an_exchange_without_a_guide_of_its_own_gets_the_general_one():
    """Under its own name, so that every button leads on in it."""
    found, general = load_guide("okxus", "pt"), load_guide(OTHER, "pt")

    assert (found.exchange, found.locale) == ("okxus", "pt")
    assert (found.steps, found.stuck) == (general.steps, general.stuck)


@pytest.mark.parametrize("name", ["no where", "../en/bitso", "", "bitso.md", "{x}"])
def test_an_unknown_exchange_has_no_guide(name):
    """A name from a person opens no other file and no traceback."""
    with pytest.raises(Unknown):
        load_guide(name, "en")


def test_a_folder_name_from_outside_opens_nothing():
    """The language, too, is only looked up."""
    assert load_guide("bitso", "../en") == load_guide("bitso", "en")


def test_guide_errors_name_the_file():
    """Whoever breaks a guide is told where."""
    with pytest.raises(GuideError, match="bitso/en"):
        parse_guide("bitso", "en", "## Step: one\ntitle: One\n\nText")
