"""How the text of one setting becomes a value, or a plain reason why it can't.

`chatbot.settings` calls one checker per setting. A checker takes the text as written and returns the
value, or raises `Wrong` with what was expected; the sentence around it is made in one place. Pure.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from chatbot.domain.balances import STABLE
from chatbot.domain.permissions import Permission
from chatbot.text import LOCALES, Translator, nearest_locale

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LEVELS = ("debug", "info", "warning", "error")
PURPOSES = ("monitor", "trade")
_DATABASES = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")
_DEFAULT_PORT = {"http": 80, "https": 443}
_EVERYBODY = (
    re.compile(r"telegram:[1-9][0-9]{0,19}"),
    re.compile(r"slack:[A-Z0-9]+/[A-Z0-9]+"),
    re.compile(r"web:[A-Za-z0-9_.-]{1,64}"),
)
_GROUPS = (re.compile(r"telegram:\*"), re.compile(r"slack:[A-Z0-9]+/\*"))


class Wrong(ValueError):
    """A value that can't be used: what was expected, and the part that is wrong if it is only a part."""

    def __init__(self, expected: str, part: str | None = None) -> None:
        """Keep both for the sentence."""
        super().__init__(expected)
        self.expected = expected
        self.part = part


def words(text: str) -> tuple[str, ...]:
    """Split a comma list."""
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a checker for a whole number in a range."""

    def check(text: str) -> int:
        number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else low - 1
        if not low <= number <= high:
            raise Wrong(f"a whole number from {low} to {high}")
        return number

    return check


def one_of(choices: Iterable[str]) -> Callable[[str], str]:
    """Return a checker for a word out of few."""
    known = tuple(choices)

    def check(text: str) -> str:
        if text.lower() not in known:
            raise Wrong("one of " + ", ".join(known))
        return text.lower()

    return check


def amount(text: str) -> Decimal:
    """Read an amount that is not negative."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0:
        raise Wrong("an amount of money, zero or more, with a point before the cents")
    return number


def listen_address(text: str) -> str:
    """Read the address to listen on."""
    if not _is_address(text) and not _HOST.fullmatch(text.lower()):
        raise Wrong("an address or host name without a port")
    return text


def addresses(text: str) -> tuple[str, ...]:
    """Read a comma list of IP addresses."""
    for part in words(text):
        if not _is_address(part):
            raise Wrong("a comma list of IP addresses", part)
    return tuple(str(ipaddress.ip_address(part)) for part in words(text))


def networks(text: str) -> tuple[str, ...]:
    """Read a comma list of IP addresses or networks."""
    for part in words(text):
        try:
            ipaddress.ip_network(part)
        except ValueError:
            raise Wrong("a comma list of IP addresses or networks", part) from None
    return words(text)


def people(text: str) -> frozenset[str]:
    """Read a comma list of identities, each one person."""
    return _identities(
        text, _EVERYBODY, "a comma list of telegram:<user id>, slack:<team>/<user> or web:<name>"
    )


def members(text: str) -> frozenset[str]:
    """Read a comma list of identities, or of everybody on a platform or in a Slack workspace."""
    expected = (
        "a comma list of telegram:<user id>, slack:<team>/<user>, web:<name>, telegram:* or slack:<team>/*"
    )
    return _identities(text, (*_EVERYBODY, *_GROUPS), expected)


def permissions(text: str) -> frozenset[Permission]:
    """Read a comma list of permissions; the word `none` stands for an empty one."""
    if text.lower() == "none":
        return frozenset()
    known = [permission.value for permission in Permission]
    strange = [word for word in words(text.lower()) if word not in known]
    if strange:
        raise Wrong(f"a comma list out of {', '.join(known)}, or the word none", ", ".join(strange))
    return frozenset(Permission(word) for word in words(text.lower()))


def webhook_secret(text: str) -> str:
    """Check the secret that Telegram sends along with each update."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{32,256}", text):
        raise Wrong("32 to 256 letters, digits, _ or -")
    return text


def bot_token(text: str) -> str:
    """Check the shape of a Telegram bot token, which ends up inside an address."""
    if not re.fullmatch(r"[0-9]{1,20}:[A-Za-z0-9_-]+", text):
        raise Wrong("a bot token as @BotFather gives it: digits, a colon, letters and digits")
    return text


def slack_token(start: str) -> Callable[[str], str]:
    """Return a checker for a token that Slack gave."""

    def check(text: str) -> str:
        if not re.fullmatch(rf"{start}-[A-Za-z0-9.-]+", text):
            raise Wrong(f"a token as Slack gives it, which starts with {start}-")
        return text

    return check


def client_id(text: str) -> str:
    """Check the shape of a Slack app's client id."""
    if not re.fullmatch(r"[0-9]+\.[0-9]+", text):
        raise Wrong("the client id of a Slack app: digits, a point, digits")
    return text


def api_url(text: str) -> str:
    """Read the address of a Slack Web API, with the slash at its end."""
    expected = "http:// or https:// with a host, and /api/ at the end"
    parts = _split(text, expected)
    if not parts.path.endswith("/api/") or not _PATH.fullmatch(parts.path):
        raise Wrong(expected)
    return _origin(parts) + parts.path


def slash_command(text: str) -> str:
    """Read the name of a slash command."""
    if not re.fullmatch(r"/[a-z][a-z0-9_-]{0,30}", text):
        raise Wrong("a slash and at most 31 small letters, digits, _ or -")
    return text


def locale(text: str) -> str:
    """Read a language that we speak."""
    found = nearest_locale(text)
    if found is None:
        raise Wrong("one of " + ", ".join(LOCALES))
    return found


def zone(text: str) -> str:
    """Read the name of a time zone."""
    if text not in available_timezones():
        raise Wrong("the name of a time zone as region and city, or UTC")
    return text


def currency(text: str) -> str:
    """Read a currency or a stable coin."""
    code = text.upper()
    if code in STABLE:
        return code
    # A currency that Babel knows gets its symbol; any other text gets the code after the number.
    if not re.fullmatch(r"[A-Z]{3}", code) or Translator().money(Decimal(0), code).endswith(code):
        raise Wrong("the three letters of a currency, or a stable coin")
    return code


def database(text: str) -> str:
    """Read the database's address; the short PostgreSQL schemes name our driver."""
    scheme, found, rest = text.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and rest.strip("/") and ":memory:" not in rest:
        return text
    before, _, host = rest.partition("?")[0].rpartition("@")
    if "@" in before:
        raise Wrong("an address with one @ in it (write an @ of the password as %40)")
    if not found or scheme not in _DATABASES or not host.partition("/")[2]:
        raise Wrong("sqlite:///<file>, or postgresql://<user>:<password>@<host>/<database>")
    return f"{_DATABASES[scheme]}://{rest}"


def origin(text: str) -> str:
    """Read scheme, host and port, and nothing behind them."""
    expected = "http:// or https:// with a host and maybe a port, and nothing behind it"
    parts = _split(text, expected)
    if parts.path not in {"", "/"}:
        raise Wrong(expected)
    return _origin(parts)


def public_url(text: str) -> str:
    """Read our own public address, with its path prefix, without a slash at its end."""
    expected = "https:// with a host name, or http:// on localhost, 127.0.0.1 or [::1]"
    parts = _split(text, expected)
    # A number tells a person nothing, and browsers take any host that ends in one for an address.
    number = (parts.hostname or "").rpartition(".")[2].isdigit()
    if (number or parts.scheme != "https") and parts.hostname not in LOOPBACK:
        raise Wrong(expected)
    if not _PATH.fullmatch(parts.path):
        raise Wrong(f"{expected}; behind it only a plain path")
    return _origin(parts) + parts.path.rstrip("/")


def is_loopback(url: str) -> bool:
    """Tell whether an address leads to this very machine."""
    return urlsplit(url).hostname in LOOPBACK


def _identities(text: str, shapes: Iterable[re.Pattern[str]], expected: str) -> frozenset[str]:
    for part in words(text):
        if not any(shape.fullmatch(part) for shape in shapes):
            raise Wrong(expected, part)
    return frozenset(words(text))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _split(text: str, expected: str) -> SplitResult:
    # urlsplit drops tabs and line ends and takes a backslash for a letter; browsers do neither.
    if not re.fullmatch(r"[!-\[\]-~]+", text):
        raise Wrong(expected)
    try:
        parts = urlsplit(text)
        odd = parts.port == 0 or parts.username is not None or parts.password is not None
    except ValueError:
        raise Wrong(expected) from None
    host = parts.hostname or ""
    odd = odd or "?" in text or "#" in text or parts.scheme not in _DEFAULT_PORT
    if odd or not (host == "::1" or _HOST.fullmatch(host)):
        raise Wrong(expected)
    return parts


def _origin(parts: SplitResult) -> str:
    # As a browser writes it in its Origin header: lower case, without the scheme's own port.
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port not in {None, _DEFAULT_PORT[parts.scheme]} else ""
    return f"{parts.scheme}://{host}{port}"
