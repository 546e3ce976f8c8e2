"""The guide to Bybit says what published guides say, in every language, and answers every trouble."""

import pytest

from chatbot.domain.permissions import Permission
from chatbot.errors import Trouble
from chatbot.exchanges._guides import load_guide
from chatbot.exchanges.bybit import ERRORS, Bybit

# What is said, section of the guide, and what stands there in English, Spanish and Portuguese.
ROWS = [
    ("1 > API Management", "api-menu", "Account & Security > API Management", "Account & Security > API Management", "Account & Security > API Management"),
    ("1 usually", "api-menu", "usually", "normalmente", "normalmente"),
    ("1 > Create New Key", "api-menu", "“Create New Key”", "“Create New Key”", "“Create New Key”"),
    ("2 system-generated", "api-menu", "“System-generated API Keys”", "“System-generated API Keys”", "“System-generated API Keys”"),
    ("3 usage", "name", "“API Transaction”", "“API Transaction”", "“API Transaction”"),
    ("3 name", "name", "“Keyherald”", "“Keyherald”", "“Keyherald”"),
    ("4 read-only", "ticks", "First choose “Read-Only”", "Primero elige “Read-Only”", "Primeiro escolha “Read-Only”"),
    ("4 nothing else", "ticks", "nothing else", "nada más", "mais nada"),
    ("4 account transfer", "ticks", "only lets us see your Funding account", "solo nos deja ver tu cuenta Funding", "só nos deixa ver a sua conta Funding"),
    ("4 a trading tool", "ticks-trade", "Placing orders", "Poner órdenes", "Colocar ordens"),
    ("4 transfers stay off", "ticks-trade", "Leave Account Transfer off", "Deja Account Transfer sin marcar", "Deixe Account Transfer desmarcado"),
    ("4 never withdrawals", "ticks-trade", "Never tick withdrawals", "Nunca marques retiros", "Nunca marque saques"),
    ("5 our addresses", "addresses", "separated by commas", "separadas por comas", "separados por vírgulas"),
    ("5 bound keys don't end", "addresses", "does not end", "no vence", "não vence"),
    ("5 90 days", "confirm", "after 90 days", "a los 90 días", "em 90 dias"),
    ("5 password", "confirm", "7 days after you change your password", "7 días después de que cambies tu contraseña", "7 dias depois de você trocar a senha"),
    ("6 mail and authenticator", "confirm", "by e-mail", "por correo", "por e-mail"),
    ("7 shown once", "copy", "only once", "una sola vez", "uma única vez"),
    ("7 password manager", "copy", "password manager", "gestor de contraseñas", "gerenciador de senhas"),
    ("never in chat", "copy", "never paste them into a chat", "nunca los pegues en un chat", "nunca os cole em um chat"),
    ("young accounts", "account", "48 hours", "48 horas", "48 horas"),
    ("funds can't be touched", "account", "can't touch your funds", "no podemos tocar tus fondos", "não podemos tocar nos seus fundos"),
    ("young accounts", "no-new-key", "younger than 48 hours", "menos de 48 horas", "menos de 48 horas"),
    ("EEA", "no-new-key", "bybit.eu", "bybit.eu", "bybit.eu"),
    ("put off in place", "ninety-days", "key and secret stay", "key y secret quedan iguales", "key e secret ficam iguais"),
    ("geo block", "region", "mainland China", "China continental", "China continental"),
    ("testnet keys", "bad-key", "Testnet", "Testnet", "Testnet"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[1]}: {row[0]}")
def test_every_row_is_said(row):
    """What a person has to know to make the right key is in the guide, in all three languages."""
    _, key, *expected = row
    for locale, words in zip(("en", "es", "pt"), expected, strict=True):
        guide = load_guide("bybit", locale)
        lines = {step.key: step.lines for step in guide.steps} | {s.key: s.lines for s in guide.stuck}
        assert words in "\n".join(lines[key]), locale


def test_every_trouble_has_its_answer():
    """Each trouble that Bybit can cause leads straight to what to do."""
    causes = {stuck.cause for stuck in load_guide("bybit", "en").stuck if stuck.cause}

    assert causes == {refusal.trouble for refusal in ERRORS.values()} - {Trouble.UNKNOWN}


def test_the_tick_list_is_what_the_page_shows():
    """Three boxes to look, the switch to Read-Write for those who trade; transfers and withdrawals stay off."""
    assert [Bybit.labels[p] for p in Bybit.tick] == [
        "Unified Trading: Orders, Positions",
        "SPOT: Trade",
        "Wallet: Account Transfer, with Read-Only",
    ]
    assert [Bybit.labels[p] for p in Bybit.tick_to_trade] == ["Read-Write"]
    assert Bybit.labels.keys() - {*Bybit.tick, *Bybit.tick_to_trade} == {
        Permission.TRANSFER,
        Permission.WITHDRAW,
    }
