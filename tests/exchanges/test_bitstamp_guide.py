"""Bitstamp's guide: every point of the checklist is said in every language, and every trouble has its answer."""

from decimal import Decimal

import pytest

from chatbot.domain.conversations import Guide, Step, Stuck
from chatbot.domain.permissions import Policy
from chatbot.errors import Trouble
from chatbot.exchanges import build
from chatbot.exchanges._guides import load_guide
from chatbot.exchanges.bitstamp import ERRORS
from chatbot.ports.context import Options
from chatbot.text import LOCALES, Translator
from handlers.notifications import guide as cards
from tests.support.bitstamp import FrozenClock

# Row of the checklist, section of the guide, and what stands there in English, Spanish and Portuguese.
ROWS = [
    ("1 the account exists and is verified", "account", "verified Bitstamp account", "cuenta de Bitstamp verificada", "conta na Bitstamp verificada"),
    ("1.10 two-factor login is on", "account", "two-factor login on", "verificación en dos pasos", "verificação em duas etapas"),
    ("2 a sub-account of its own", "sub-account", "sees only that sub-account", "solo ve esa subcuenta", "só vê essa subconta"),
    ("2 any name will do", "sub-account", "Any name will do", "cualquier nombre", "Qualquer nome"),
    ("2 no manual trades", "sub-account", "don't trade in it by hand", "no operes ahí a mano", "não negocie nela à mão"),
    ("2 where it is", "sub-account", "Dashboard > Sub Accounts > Active Sub Accounts > Create New", "Dashboard > Sub Accounts > Active Sub Accounts > Create New", "Dashboard > Sub Accounts > Active Sub Accounts > Create New"),
    ("2 Create Sub Account", "sub-account", "“Create Sub Account”", "“Create Sub Account”", "“Create Sub Account”"),
    ("2 at the bottom", "sub-account", "bottom of the list", "final de la lista", "fim da lista"),
    ("2 optional", "sub-account", "Optional", "Opcional", "Opcional"),
    ("3 a key each", "sub-account", "need a key each", "una clave cada una", "uma chave cada"),
    ("3 /connect again", "sub-account", "/connect again with another label", "/connect otra vez con otra etiqueta", "/connect de novo com outra etiqueta"),
    ("3 sees only that", "main-account", "the one account it was made for", "solo la cuenta para la que se creó", "só a conta para a qual foi criada"),
    ("4 Settings", "api-menu", "Settings > API access", "Settings (Ajustes) > API access", "Settings (Configurações) > API access"),
    ("4 or Security", "api-menu", "Account > Security", "Account > Security", "Account > Security"),
    ("4 New API Key", "api-menu", "“New API Key”", "“New API Key”", "“New API Key”"),
    ("4 a secure browser", "api-menu", "browser that you trust", "navegador de confianza", "navegador de confiança"),
    ("4 usually", "api-menu", "usually", "normalmente", "normalmente"),
    ("1.10 choose the account", "api-menu", "Choose the account", "Elige la cuenta", "Escolha a conta"),
    ("5 exactly what is needed", "ticks", "Tick exactly", "Marca exactamente", "Marque exatamente"),
    ("5 never", "ticks", "never tick withdrawals, deposits or transfers", "nunca marques retiros, depósitos ni transferencias", "nunca marque saques, depósitos nem transferências"),
    ("5 wrong ticks", "ticks", "calls fail", "las consultas fallan", "as consultas falham"),
    ("5 for trading", "ticks-trade", "opens and cancels orders", "abrir y cancelar órdenes", "abrir e cancelar ordens"),
    ("5 never, for trading", "ticks-trade", "Never tick withdrawals, deposits or transfers", "Nunca marques retiros, depósitos ni transferencias", "Nunca marque saques, depósitos nem transferências"),
    ("1.4 older labels", "other-ticks", "“Account balance”", "“Account balance”", "“Account balance”"),
    ("1.4 nothing in Withdrawals", "other-ticks", "everything under Withdrawals", "todo lo que está en Withdrawals", "tudo em Withdrawals"),
    ("6 label the key", "api-menu", "“Keyherald”", "“Keyherald”", "“Keyherald”"),
    ("7 whitelist", "addresses", "from our addresses", "desde nuestras direcciones", "a partir dos nossos endereços"),
    ("7 optional", "addresses", "Optional", "Opcional", "Opcional"),
    ("7 withdrawal addresses", "addresses", "restrict withdrawal addresses", "restringir las direcciones de retiro", "restringir os endereços de saque"),
    ("8 two-factor code", "create", "two-factor code", "código de dos pasos", "código de duas etapas"),
    ("9 copy both now", "copy", "Copy both now", "Copia los dos ahora", "Copie os dois agora"),
    ("9 hidden once activated", "copy", "hidden for good", "se oculta para siempre", "fica oculto para sempre"),
    ("9 password manager", "copy", "password manager", "gestor de contraseñas", "gerenciador de senhas"),
    ("9 never to anyone", "copy", "Never send them to anyone", "Nunca se los mandes a nadie", "Nunca os envie a ninguém"),
    ("9 nor in chat", "copy", "never paste them into a chat", "los pegues en un chat", "os cole em um chat"),
    ("10 Activate", "activate", "“Activate”", "“Activate”", "“Activate”"),
    ("10 the e-mail", "activate", "open the link in it", "abre el enlace", "abra o link"),
    ("10 shows as active", "activate", "shown as active", "aparezca como activa", "aparece como ativa"),
    ("10 refused before", "activate", "Before that, every call with it is refused", "Antes de eso se rechaza toda consulta", "Antes disso, toda consulta com ela é recusada"),
    ("10 the error says so", "bad-key", "only once it is activated", "solo funciona ya activada", "só funciona depois de ativada"),
    ("10 no e-mail", "no-mail", "spam", "spam", "spam"),
    ("11 customer id", "customer-id", "not needed any more", "Ya no se necesita", "não é mais necessário"),
    ("12 typo", "bad-key", "a letter is missing", "falta una letra", "falta uma letra"),
    ("12 typo in the secret", "bad-secret", "lack a letter", "le falte una letra", "faltar uma letra"),
    ("12 missing permission", "no-permission", "“View your transactions”", "“View your transactions” (Ver transacciones)", "“View your transactions” (Ver transações)"),
    ("12 missing permission", "no-permission", "“View account balances”", "“View account balances” (Ver saldos)", "“View account balances” (Ver saldos)"),
    ("12 e-mail link not clicked", "bad-key", "open the link in the e-mail", "abre el enlace del correo", "abra o link do e-mail"),
    ("12 IP not on the list", "ip-blocked", "ours is not among them", "la nuestra no está ahí", "o nosso não está lá"),
    ("12 too many requests", "rate-limit", "429", "429", "429"),
    ("13 lost or leaked", "lost-secret", "Delete that key on the API page at once", "Borra esa clave en la página de API de inmediato", "Apague essa chave na página de API imediatamente"),
    ("13 /rotate", "lost-secret", "/rotate", "/rotate", "/rotate"),
    ("13 /revoke", "lost-secret", "/revoke", "/revoke", "/revoke"),
    ("14 review keys", "old-keys", "now and then", "de vez en cuando", "de vez em quando"),
    ("14 remove unused ones", "old-keys", "nothing uses", "nada use", "nada usa"),
    ("14 ticks still fit", "old-keys", "still fit", "sigan siendo los correctos", "ainda servem"),
    ("15 a key of its own for other tools", "ticks", "tax or portfolio tool", "impuestos o de portafolio", "impostos ou de carteira"),
    ("for all: go on days later", "account", "days later", "días después", "dias depois"),
    ("for all: we only read", "account", "We only read", "Solo leemos", "Só lemos"),
    ("for all: ends with the link", "link", "our secure page", "nuestra página segura", "nossa página segura"),
    ("1.6 the sub-account is gone", "key-inactive", "sub-account that was closed", "subcuenta que se cerró", "subconta que foi encerrada"),
    ("1.6 FATCA", "user-action", "FATCA", "FATCA", "FATCA"),
    ("1.6 support", "account-blocked", "Bitstamp's support", "soporte de Bitstamp", "suporte da Bitstamp"),
    ("1.6 clock", "clock", "150 seconds", "150 segundos", "150 segundos"),
    ("1.6 maintenance", "maintenance", "Your key is not the reason", "Tu clave no es la causa", "Sua chave não é a causa"),
]  # fmt: skip


def sections(guide: Guide) -> dict[str, Step | Stuck]:
    """Return every step and trouble of a guide by its key."""
    found: list[Step | Stuck] = [*guide.steps, *guide.stuck]
    return {section.key: section for section in found}


@pytest.mark.parametrize("line", ROWS, ids=lambda line: f"{line[1]}: {line[0]}")
def test_every_row_of_the_checklist_is_said(line):
    """What published guides say about Bitstamp is in ours, in all three languages."""
    _, key, *expected = line
    for locale, words in zip(("en", "es", "pt"), expected, strict=True):
        assert words in "\n".join(sections(load_guide("bitstamp", locale))[key].lines), locale


def test_no_row_was_left_out():
    """All fifteen rows of the checklist are looked up here."""
    assert {int(name.split()[0]) for name, *_ in ROWS if name.split()[0].isdigit()} == set(range(1, 16))


def test_every_trouble_at_bitstamp_has_its_answer():
    """Each meaning a refusal of Bitstamp can have leads straight to what to do."""
    causes = {stuck.cause for stuck in load_guide("bitstamp", "en").stuck if stuck.cause}

    assert causes == {refusal.trouble for refusal in ERRORS.values()} - {Trouble.UNKNOWN}


def test_the_optional_steps_can_be_skipped():
    """A sub-account and the addresses are offered, not asked for."""
    for locale in LOCALES:
        steps = load_guide("bitstamp", locale).steps
        assert [step.key for step in steps if step.skip] == ["sub-account", "addresses"]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("trade", [False, True])
def test_the_tick_list_names_what_to_leave_off(locale, trade):
    """The list has the two view ticks on, the withdrawals off, and orders as the purpose says."""
    text = card(locale, "ticks-trade" if trade else "ticks", trade=trade)

    assert "☑ View account balances" in text
    assert "☑ View your transactions" in text
    assert "☐ Withdrawals" in text
    assert ("☑ Order management" in text, "☐ Order management" in text) == (trade, not trade)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_address_is_shown(locale):
    """Bitstamp names no limit of addresses, so the step lists all of ours."""
    text = card(locale, "addresses", trade=False)

    assert [f"192.0.2.{number}" in text for number in range(1, 8)] == [True] * 7


def card(locale, key, *, trade):
    """Return the text of one step as the chat shows it."""
    egress = tuple(f"192.0.2.{number}" for number in range(1, 8))
    policy = Policy(frozenset(), frozenset(), trade=trade)
    options = Options(
        "http://localhost", policy, egress, 30, 10, Decimal(1), locale, "UTC", "USD", 90, "test"
    )
    guide = load_guide("bitstamp", locale)
    steps = guide.shown(egress=True, trade=trade)
    at = [step.key for step in steps].index(key)
    return cards.step(
        guide, steps, at, build({}, FrozenClock())["bitstamp"], options, Translator(locale)
    ).plain()
