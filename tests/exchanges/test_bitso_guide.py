"""Bitso's guide: every point of the checklist is said in every language, and every trouble has its answer."""

import pytest

from chatbot.domain.permissions import Permission
from chatbot.exchanges._guides import load_guide
from chatbot.exchanges.bitso import Bitso
from chatbot.text import LOCALES

# Row of the checklist, section of the guide, and what stands there in English, Spanish and Portuguese.
ROWS = [
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


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[1]}: {row[0]}")
def test_every_row_of_the_checklist_is_said(row):
    """What published guides say about Bitso is in ours, in all three languages."""
    _, key, *expected = row
    for locale, words in zip(("en", "es", "pt"), expected, strict=True):
        guide = load_guide("bitso", locale)
        found = {s.key: s.lines for s in guide.steps} | {s.key: s.lines for s in guide.stuck}
        assert words in "\n".join(found[key]), locale


def test_no_row_was_left_out():
    """All nine rows of the checklist are looked up here."""
    assert {int(name.split()[0]) for name, *_ in ROWS if name.split()[0].isdigit()} == set(range(1, 10))


def test_the_tick_list_is_what_the_checklist_says():
    """Two ticks to look, one more to trade; withdrawals stay off."""
    ticked = [Bitso.labels[permission] for permission in (*Bitso.tick, *Bitso.tick_to_trade)]

    assert ticked == ["View account information", "View balances", "Place orders"]
    assert Permission.WITHDRAW not in {*Bitso.tick, *Bitso.tick_to_trade}


def test_the_optional_steps_can_be_skipped():
    """Two-factor login that is on already, and the addresses."""
    for locale in LOCALES:
        steps = load_guide("bitso", locale).steps
        assert [step.key for step in steps if step.skip] == ["addresses", "two-factor"][::-1]
