"""The guide to HitBTC says every row of the checklist, in every language."""

import pytest

from chatbot.domain.permissions import Permission
from chatbot.errors import Trouble
from chatbot.exchanges._guides import load_guide
from chatbot.exchanges.hitbtc import ERRORS, HitBTC

# Row of the checklist, section of the guide, and what stands there in English, Spanish and Portuguese.
ROWS = [
    ("1 log in on the web", "account", "on the web", "en la web", "pela web"),
    ("1 Settings, top right", "api-page", "“Settings” at the top right", "“Settings” (Configuración) arriba a la derecha", "“Settings” (Configurações) no canto superior direito"),
    ("1 > API keys", "api-page", "usually called “API keys”", "normalmente se llama “API keys”", "normalmente se chama “API keys”"),
    ("1 > New API key", "api-page", "“New API key”", "“New API key”", "“New API key”"),
    ("2 key and secret at once", "api-page", "at once", "de inmediato", "na hora"),
    ("2 copy before I understand", "copy", "before you press “I understand”", "antes de pulsar “I understand”", "antes de tocar em “I understand”"),
    ("2 hidden for good", "copy", "hidden for good", "se ocultan para siempre", "ocultas para sempre"),
    ("2 password manager", "copy", "password manager", "gestor de contraseñas", "gerenciador de senhas"),
    ("2 never in chat", "copy", "never paste them into a chat", "las pegues en un chat", "as cole em um chat"),
    ("2 if lost", "lost-secret", "delete that key, then make", "borra esa clave y crea otra", "apague essa chave e crie outra"),
    ("3 name", "name", "“Keyherald”", "“Keyherald”", "“Keyherald”"),
    ("3.10 status on", "name", "status on", "estado activado", "status ativado"),
    ("4 newer name of the tick", "ticks", "“Spot balance”", "“Spot balance”", "“Spot balance”"),
    ("4 nothing else", "ticks", "everything else unticked", "todo lo demás sin marcar", "todo o resto desmarcado"),
    ("4 never withdrawals", "ticks", "never tick withdrawals", "nunca marques retiros", "nunca marque saques"),
    ("4 payment information", "ticks", "not read-only", "no es de solo lectura", "não é somente leitura"),
    ("4 a trading tool", "ticks-trade", "Placing orders", "Poner órdenes", "Colocar ordens"),
    ("4 never withdrawals", "ticks-trade", "never tick withdrawals", "nunca marques retiros", "nunca marque saques"),
    ("4 payment information", "ticks-trade", "not read-only", "no es de solo lectura", "não é somente leitura"),
    ("4 the label", "no-permission", "“Order book, History, Trading (Spot) balance”", "“Order book, History, Trading (Spot) balance”", "“Order book, History, Trading (Spot) balance”"),
    ("5 optional", "addresses", "Optional", "Opcional", "Opcional"),
    ("5 Edit > New IP", "addresses", "“Edit”, then “New IP”", "“Edit” (Editar) y “New IP”", "“Edit” (Editar) e “New IP”"),
    ("5 our addresses, commas", "addresses", "below, separated by commas", "de abajo, separadas por comas", "abaixo, separados por vírgulas"),
    ("5 > Add > Save", "addresses", "“Add”, then “Save”", "“Add” (Agregar) y “Save”", "“Add” (Adicionar) e “Save”"),
    ("6 two-factor code", "confirm", "two-factor code", "código de dos pasos", "código de duas etapas"),
    ("6 link in the e-mail", "confirm", "Open it, or the change does not count", "Ábrelo; si no, el cambio no cuenta", "Abra-o; sem isso a mudança não vale"),
    ("6 no e-mail", "no-email", "spam folder", "carpeta de spam", "pasta de spam"),
    ("7 key, secret, save", "link", "paste key and secret there and press the button", "pega ahí la key y el secret y pulsa el botón", "cole ali a key e o secret e toque no botão"),
    ("for all: we only read", "account", "We only read", "Solo leemos", "Só lemos"),
    ("for all: go on days later", "account", "days later", "días después", "dias depois"),
    ("for all: ends with the link", "link", "our secure page", "nuestra página segura", "nossa página segura"),
    ("3.3 spot, not wallet", "account", "Spot account", "cuenta Spot", "conta Spot"),
    ("3.3 the wallet", "wallet", "“Payment information”", "“Payment information”", "“Payment information”"),
    ("3.6 one code for both", "bad-key", "which of the two", "cuál de los dos", "qual dos dois"),
    ("3.6 switched off", "bad-key", "status is on", "esté activada", "está ativada"),
    ("3.6 white list, 1002", "bad-key", "IP whitelist", "lista blanca de IP", "lista de IPs permitidos"),
    ("3.6 white list, 1003", "no-permission", "IP whitelist", "lista blanca de IP", "lista de IPs"),
    ("3.6 clock", "clock", "ten seconds", "diez segundos", "dez segundos"),
    ("3.6 frozen", "account-blocked", "sub-account frozen", "subcuenta congelada", "subconta congelada"),
    ("3.7 rate limit", "rate-limit", "20 requests a second", "20 consultas por segundo", "20 consultas por segundo"),
    ("3.10 sub-accounts", "sub-account", "only the account that made it", "solo ve la cuenta que la creó", "só vê a conta que a criou"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[1]}: {row[0]}")
def test_every_row_of_the_checklist_is_said(row):
    """What published guides say about HitBTC is in ours, in all three languages."""
    _, key, *expected = row
    for locale, words in zip(("en", "es", "pt"), expected, strict=True):
        guide = load_guide("hitbtc", locale)
        found = {s.key: s.lines for s in guide.steps} | {s.key: s.lines for s in guide.stuck}
        assert words in "\n".join(found[key]), locale


def test_every_trouble_has_its_answer():
    """Each documented refusal that a person can do something about leads straight to what to do."""
    causes = {stuck.cause for stuck in load_guide("hitbtc", "en").stuck if stuck.cause}

    assert causes == {refusal.trouble for refusal in ERRORS.values()} - {Trouble.UNKNOWN}


def test_the_tick_list_is_what_the_checklist_says():
    """One tick to look, one more to trade; wallet and withdrawals are told to stay off."""
    ticked = [HitBTC.labels[permission] for permission in (*HitBTC.tick, *HitBTC.tick_to_trade)]

    assert ticked == ["Order book, History, Trading (Spot) balance", "Place/cancel orders"]
    assert {Permission.TRANSFER, Permission.WITHDRAW} == HitBTC.labels.keys() - {
        *HitBTC.tick,
        *HitBTC.tick_to_trade,
    }
