"""The guides: every point of the checklist is said in every language, in short steps that end at the link.

A row of the checklist is a promise to the person; each one is looked up here by words of our own text.
"""

import pytest

from chatbot.domain.conversations import Guide, GuideError, Step, Stuck, parse_guide
from chatbot.errors import Trouble, Unknown
from chatbot.exchanges import discover
from chatbot.exchanges._guides import load_guide
from chatbot.text import LOCALES
from tests.support.sources import ROOT

GUIDES = ROOT / "chatbot/exchanges/guides"
MOST_WORDS = 60
MOST_NEXT = 9
TROUBLES = {
    Trouble.BAD_KEY, Trouble.BAD_SECRET, Trouble.KEY_INACTIVE, Trouble.NO_PERMISSION, Trouble.IP_BLOCKED,
    Trouble.ACCOUNT_BLOCKED, Trouble.USER_ACTION, Trouble.RATE_LIMIT, Trouble.MAINTENANCE, Trouble.CLOCK_OR_NONCE,
}  # fmt: skip

# Row of the checklist, section of the guide, and what stands there in English, Spanish and Portuguese.
BITSO_ROWS = [
    ("the account exists and is verified", "account", "identity check", "identidad verificada", "identidade verificada"),
    ("1 log in on the web", "account", "on the web", "en la web", "pela web"),
    ("1 user icon top right", "api-menu", "user icon", "tu ícono", "seu ícone"),
    ("1 > Profile", "api-menu", "then Profile", "Profile (Perfil)", "Profile (Perfil)"),
    ("2 two-factor must be on", "two-factor", "only for accounts with", "solo crea claves en cuentas con", "só cria chaves em contas com"),
    ("2 what it is", "two-factor", "every 30 seconds", "cada 30 segundos", "cada 30 segundos"),
    ("2 where it is", "two-factor", "2FA Token > Enable", "2FA Token > Enable", "2FA Token > Enable"),
    ("2 skip if on", "two-factor", "skip this step", "omite este paso", "pule esta etapa"),
    ("3 API in the left menu", "api-menu", "menu on the left", "menú de la izquierda", "menu à esquerda"),
    ("3 > Add new API key", "api-menu", "“Add new API key”", "“Add new API key”", "“Add new API key”"),
    ("3 > read the notice", "api-menu", "security notice", "aviso de seguridad", "aviso de segurança"),
    ("3 > Continue", "api-menu", "“Continue”", "“Continue”", "“Continue”"),
    ("4 name the key", "name", "“Keyherald”", "“Keyherald”", "“Keyherald”"),
    ("5 ticks, nothing else", "ticks", "everything else unticked", "todo lo demás sin marcar", "todo o resto desmarcado"),
    ("5 never withdrawals", "ticks", "never tick withdrawals", "nunca marques retiros", "nunca marque saques"),
    ("5 a trading tool", "ticks-trade", "Placing orders", "Poner órdenes", "Colocar ordens"),
    ("5 never withdrawals", "ticks-trade", "never tick withdrawals", "nunca marques retiros", "nunca marque saques"),
    ("5 labels", "no-permission", "“View balances”", "“View balances” (Ver saldos)", "“View balances” (Ver saldos)"),
    ("5 labels", "no-permission", "“View account information”", "“View account information” (", "“View account information” ("),
    ("6 at the bottom", "create", "at the bottom", "al final", "no fim"),
    ("6 two-factor code", "create", "two-factor code", "código de dos pasos", "código de duas etapas"),
    ("7 copy both now", "copy", "Copy both now", "Copia los dos ahora", "Copie os dois agora"),
    ("7 shown once", "copy", "only once", "una sola vez", "uma única vez"),
    ("7 if lost", "lost-secret", "delete that key, then make", "borra esa clave y crea otra", "apague essa chave e crie outra"),
    ("password manager", "copy", "password manager", "gestor de contraseñas", "gerenciador de senhas"),
    ("never in chat", "copy", "never paste them into a chat", "los pegues en un chat", "os cole em um chat"),
    ("8 funds can't be touched", "account", "can't touch your funds", "no podemos tocar tus fondos", "não podemos tocar nos seus fundos"),
    ("8 we only read", "account", "We only read", "Solo leemos", "Só lemos"),
    ("9 restriction", "addresses", "“Restrict use of API addresses”", "“Restrict use of API addresses”", "“Restrict use of API addresses”"),
    ("9 optional", "addresses", "Optional", "Opcional", "Opcional"),
    ("9 at most five", "addresses", "at most five", "cinco como máximo", "no máximo cinco"),
    ("9 our addresses", "addresses", "enter those below", "escribe las de abajo", "digite os que estão abaixo"),
    ("9 more than five", "five-addresses", "five addresses at most", "cinco direcciones como máximo", "no máximo cinco endereços"),
    ("for all: go on days later", "account", "days later", "días después", "dias depois"),
    ("for all: usually", "api-menu", "usually", "normalmente", "normalmente"),
    ("for all: ends with the link", "link", "our secure page", "nuestra página segura", "nossa página segura"),
    ("2.10 transaction PIN", "two-factor-asks", "transaction PIN", "PIN de transacciones", "PIN de transações"),
    ("2.7 rate limit", "rate-limit", "300 requests a minute", "300 consultas por minuto", "300 consultas por minuto"),
    ("2.8 six keys", "six-keys", "six keys", "seis claves", "seis chaves"),
    ("2.6 one key per program", "clock", "one key per program", "una clave por programa", "uma chave por programa"),
    ("2.6 support", "account-blocked", "Bitso's support", "soporte de Bitso", "suporte da Bitso"),
    ("2.6 terms", "user-action", "accept new terms", "aceptar términos nuevos", "aceitar novos termos"),
    ("can't find the menu", "no-api-menu", "not in the app", "no en la app", "não no app"),
]  # fmt: skip


def sections(guide: Guide) -> dict[str, Step | Stuck]:
    """Return every step and trouble of a guide by its key."""
    found: list[Step | Stuck] = [*guide.steps, *guide.stuck]
    return {section.key: section for section in found}


def every_guide():
    """Return (exchange, language) of every guide file there is."""
    return sorted((path.stem, path.parent.name) for path in GUIDES.glob("*/*.md"))


@pytest.mark.parametrize("row", BITSO_ROWS, ids=lambda row: f"{row[1]}: {row[0]}")
def test_every_row_of_the_checklist_is_said(row):
    """What published guides say about Bitso is in ours, in all three languages."""
    _, key, *expected = row
    for locale, words in zip(("en", "es", "pt"), expected, strict=True):
        assert words in "\n".join(sections(load_guide("bitso", locale))[key].lines), locale


@pytest.mark.parametrize(("exchange", "locale"), every_guide())
def test_sections_are_short(exchange, locale):
    """Nobody reads more than 60 words at a time; a title fits on a button."""
    found = sections(load_guide(exchange, locale))

    assert [key for key, section in found.items() if len(" ".join(section.lines).split()) > MOST_WORDS] == []
    assert [section.title for section in found.values() if len(section.title) > 40] == []


@pytest.mark.parametrize(("exchange", "locale"), every_guide())
def test_languages_have_the_same_structure(exchange, locale):
    """A guide has the same steps, conditions, buttons and troubles in every language."""
    shape = [
        (s.key, s.when, s.ticks, s.page, s.link, s.skip, len(s.lines))
        for s in load_guide(exchange, locale).steps
    ]
    english = [
        (s.key, s.when, s.ticks, s.page, s.link, s.skip, len(s.lines))
        for s in load_guide(exchange, "en").steps
    ]

    assert shape == english
    assert [(s.key, s.cause) for s in load_guide(exchange, locale).stuck] == [
        (s.key, s.cause) for s in load_guide(exchange, "en").stuck
    ]


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


@pytest.mark.parametrize(("exchange", "locale"), every_guide())
def test_the_text_is_plain(exchange, locale):
    """Chats get structure, so the text has no markup, no stray place and no key drawn twice."""
    guide = load_guide(exchange, locale)
    found = sections(guide)
    lines = [line for section in found.values() for line in (section.title, *section.lines)]

    assert len(found) == len(guide.steps) + len(guide.stuck)
    assert [line for line in lines if any(mark in line for mark in ("*", "`", "_", "[", "<"))] == []
    assert [line for line in lines if "{" in line] == []
    assert [line for line in lines if line != line.strip()] == []


@pytest.mark.parametrize(("exchange", "locale"), every_guide())
def test_causes_are_troubles(exchange, locale):
    """Each cause is a trouble that an exchange's client can report, and leads to one answer."""
    causes = [stuck.cause for stuck in load_guide(exchange, locale).stuck if stuck.cause]

    assert len(set(causes)) == len(causes)
    assert {Trouble(cause) for cause in causes} == {Trouble(cause) for cause in causes} & set(Trouble)


def test_every_trouble_at_bitso_has_its_answer():
    """Each of Bitso's documented errors leads straight to what to do."""
    assert {stuck.cause for stuck in load_guide("bitso", "en").stuck if stuck.cause} == TROUBLES


def test_every_exchange_has_a_guide_in_every_language():
    """Whoever adds an exchange writes its three guides."""
    assert every_guide() == sorted((exchange, locale) for exchange in discover() for locale in LOCALES)


def test_a_language_without_a_guide_gets_the_english_one():
    """A person is never left without a guide for want of a translation."""
    assert load_guide("bitso", "de") == load_guide("bitso", "en")


@pytest.mark.parametrize("name", ["nowhere", "../en/bitso", "", "bitso.md", "{x}"])
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
