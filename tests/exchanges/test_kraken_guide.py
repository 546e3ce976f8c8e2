"""Kraken's guide: every point that matters there is said in every language, in the step where it matters."""

import pytest

from chatbot.exchanges import build
from chatbot.exchanges._guides import load_guide
from chatbot.text import LOCALES
from tests.support.kraken import SetClock

# What has to be said, section of the guide, and what stands there in English, Spanish and Portuguese.
ROWS = [
    ("the account is verified", "account", "verified Kraken account", "cuenta de Kraken verificada", "conta na Kraken verificada"),
    ("two-factor login is on", "account", "two-factor login on", "verificación en dos pasos", "verificação em duas etapas"),
    ("spot only", "account", "spot trading", "al contado", "à vista"),
    ("Kraken Pro > Settings > API", "api-menu", "Settings > API", "Settings (Ajustes) > API", "Settings (Configurações) > API"),
    ("Create API key", "api-menu", "“Create API key”", "“Create API key” (", "“Create API key” ("),
    ("not in the simple app", "api-menu", "switch to Kraken Pro first", "cambia antes a Kraken Pro", "mude antes para a Kraken Pro"),
    ("names are unique", "api-menu", "the same name", "el mismo nombre", "o mesmo nome"),
    ("nothing else", "ticks", "Leave everything else unticked", "Deja todo lo demás sin marcar", "Deixe todo o resto desmarcado"),
    ("where the boxes are", "ticks", "“Funds permissions”", "“Funds permissions”", "“Funds permissions”"),
    ("no withdrawal addresses", "ticks", "withdrawal addresses", "direcciones de retiro", "endereços de saque"),
    ("two boxes in one row", "ticks-trade", "a slash parts two boxes", "una barra separa dos casillas", "uma barra separa duas caixas"),
    ("no query dates", "settings", "no query start or end date", "sin fecha de inicio o fin de consulta", "sem data de início ou fim de consulta"),
    ("the nonce window", "settings", "nonce window", "ventana de nonce", "janela de nonce"),
    ("the expiry rule", "settings", "the key ends that day", "la clave termina ese día", "a chave acaba nesse dia"),
    ("addresses are optional", "addresses", "Optional", "Opcional", "Opcional"),
    ("two-factor code", "create", "two-factor code", "código de dos pasos", "código de duas etapas"),
    ("no second factor of the key", "no-key-code", "Do not add per-key 2FA", "No agregues 2FA a la clave", "Não adicione 2FA à chave"),
    ("where that is", "no-key-code", "under Security", "en Security", "em Security"),
    ("shown once", "copy", "only once", "una sola vez", "uma única vez"),
    ("which one is which", "copy", "two equals signs", "dos signos de igual", "dois sinais de igual"),
    ("an ended key", "bad-key", "expiration date has passed", "vencido", "vencido"),
    ("Futures is another world", "bad-key", "Kraken Futures", "Kraken Futures", "Kraken Futures"),
    ("2FA of the key looks so", "bad-secret", "turn per-key 2FA off", "apaga el 2FA de la clave", "desligue o 2FA da chave"),
    ("a missing tick", "no-permission", "“Query closed orders & trades”", "“Query closed orders & trades”", "“Query closed orders & trades”"),
    ("15 minutes", "rate-limit", "15 minutes", "15 minutos", "15 minutos"),
    ("one key per program", "nonce", "a key of its own", "su propia clave", "uma chave própria"),
    ("/rotate", "lost-secret", "/rotate", "/rotate", "/rotate"),
    ("/revoke", "lost-secret", "/revoke", "/revoke", "/revoke"),
    ("instant purchases", "missing-fills", "simple Buy button", "botón simple Buy", "botão simples Buy"),
    ("staked money", "staking", "DOT.S counts as DOT", "DOT.S cuenta como DOT", "DOT.S conta como DOT"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[1]}: {row[0]}")
def test_what_matters_at_kraken_is_said(row):
    """Each point stands where a person needs it, in all three languages."""
    _, key, *expected = row
    for locale, words in zip(("en", "es", "pt"), expected, strict=True):
        guide = load_guide("kraken", locale)
        lines = {step.key: step.lines for step in guide.steps} | {s.key: s.lines for s in guide.stuck}
        assert words in "\n".join(lines[key]), locale


@pytest.mark.parametrize("locale", LOCALES)
def test_only_the_addresses_can_be_skipped(locale):
    """All but the addresses is needed for a key that works."""
    assert [step.key for step in load_guide("kraken", locale).steps if step.skip] == ["addresses"]


def test_the_form_asks_in_krakens_words():
    """The second field is called as on Kraken's page, where nothing is called a secret."""
    exchange = build({}, SetClock())["kraken"]

    assert [(field.name, field.title, field.secret) for field in exchange.fields] == [
        ("api_key", "API key", False),
        ("api_secret", "Private key", True),
    ]
