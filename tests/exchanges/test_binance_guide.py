"""The guide to Binance says what published guides say, in every language."""

import pytest

from chatbot.domain.permissions import Permission
from chatbot.errors import Trouble
from chatbot.exchanges._guides import load_guide
from chatbot.exchanges.binance import ERRORS, Binance

# What is said, section of the guide, and what stands there in English, Spanish and Portuguese.
ROWS = [
    ("log in on the web", "account", "on the web", "en la web", "pela web"),
    ("we only read", "account", "We only read", "Solo leemos", "Só lemos"),
    ("go on days later", "account", "days later", "días después", "dias depois"),
    ("menu names drift", "api-menu", "usually", "normalmente", "normalmente"),
    ("profile > API Management", "api-menu", "Account > API Management", "API Management (Gestión de API)", "API Management (Gerenciamento de API)"),
    ("> Create API", "api-menu", "“Create API”", "“Create API”", "“Create API”"),
    ("identity check", "api-menu", "identity check", "verificación de identidad", "verificação de identidade"),
    ("system generated", "kind", "“System generated”", "“System generated”", "“System generated”"),
    ("no key of one's own", "kind", "does not work here", "no funciona", "não funciona"),
    ("label", "name", "“Keyherald”", "“Keyherald”", "“Keyherald”"),
    ("passkey and e-mail code", "name", "a code by e-mail", "un código por correo", "um código por e-mail"),
    ("secret before leaving", "copy", "until you leave or reload", "hasta que salgas", "até você sair"),
    ("password manager", "copy", "password manager", "gestor de contraseñas", "gerenciador de senhas"),
    ("never in chat", "copy", "never paste them into a chat", "las pegues en un chat", "cole em um chat"),
    ("nothing else", "ticks", "everything else unticked", "todo lo demás sin marcar", "todo o resto desmarcado"),
    ("never withdrawals", "ticks", "never tick withdrawals", "nunca marques retiros", "nunca marque saques"),
    ("no expiry for reading", "ticks", "does not expire by itself", "no vence por sí sola", "não vence por si só"),
    ("never withdrawals", "ticks-trade", "never tick withdrawals", "nunca marques retiros", "nunca marque saques"),
    ("trading goes out", "ticks-trade", "often 30 days", "a menudo 30 días", "muitas vezes 30 dias"),
    ("addresses are optional", "addresses", "Optional", "Opcional", "Opcional"),
    ("trusted IPs", "addresses", "“Restrict access to trusted IPs only”", "“Restrict access to trusted IPs only”", "“Restrict access to trusted IPs only”"),
    ("thirty at most", "addresses", "at most 30", "30 como máximo", "no máximo 30"),
    ("-2015: the tick", "no-permission", "“Enable Reading”", "“Enable Reading”", "“Enable Reading”"),
    ("-2015: the address", "no-permission", "trusted IPs", "IP de confianza", "IPs confiáveis"),
    ("-2015: the key", "no-permission", "still there", "Sigue ahí", "ainda está lá"),
    ("other Binances", "bad-key", "Binance.US", "Binance.US", "Binance.US"),
    ("region", "region", "451", "451", "451"),
    ("20 seconds", "clock", "20 seconds", "20 segundos", "20 segundos"),
    ("spot only", "not-all-money", "Spot account", "cuenta Spot", "conta Spot"),
    ("Earn's names", "not-all-money", "LD before", "LD antes", "LD antes"),
    ("pair by pair", "late-fills", "pair by pair", "par por par", "par por par"),
    ("if lost", "lost-secret", "Delete that key", "Borra esa clave", "Apague essa chave"),
    ("our secure page", "link", "our secure page", "nuestra página segura", "nossa página segura"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[1]}: {row[0]}")
def test_every_row_is_said(row):
    """What a person has to know about a Binance key is in all three languages."""
    _, key, *expected = row
    for locale, words in zip(("en", "es", "pt"), expected, strict=True):
        guide = load_guide("binance", locale)
        found = {s.key: s.lines for s in guide.steps} | {s.key: s.lines for s in guide.stuck}
        assert words in "\n".join(found[key]), locale


def test_every_trouble_has_its_answer():
    """Each documented refusal that a person can do something about leads straight to what to do."""
    causes = {stuck.cause for stuck in load_guide("binance", "en").stuck if stuck.cause}

    assert causes == {refusal.trouble for refusal in ERRORS.values()} - {Trouble.UNKNOWN}


def test_one_tick_to_look_and_one_more_to_trade():
    """Transfers and withdrawals have names, so that they can be told to stay off."""
    ticked = [Binance.labels[permission] for permission in (*Binance.tick, *Binance.tick_to_trade)]

    assert ticked == ["Enable Reading", "Enable Spot & Margin Trading"]
    assert Binance.labels.keys() - {*Binance.tick, *Binance.tick_to_trade} == {
        Permission.TRANSFER,
        Permission.WITHDRAW,
    }
