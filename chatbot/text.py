"""Languages, amounts and times: the one place where a sentence gets its words.

Sentences are English msgids with `{named}` places; Spanish and Portuguese come from the gettext
catalogues in `locales/`. A value is formatted by Babel for the reader's language before it goes in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time, format_timedelta
from babel.messages.pofile import read_po
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
    is_currency,
)

from chatbot.domain.people import Place
from chatbot.domain.permissions import Permission
from chatbot.errors import BotError, mark

LOCALES = ("en", "es", "pt")
LANGUAGE_NAMES: Mapping[str, str] = {"en": "English", "es": "Español", "pt": "Português"}
_REGION = {"en": "en_US", "es": "es_MX", "pt": "pt_BR"}
_FOLDER = Path(__file__).parent / "locales"
# Digits for every sum of amounts that an exchange may answer; the usual 28 would round or raise.
_EXACT = Context(prec=200, rounding=ROUND_HALF_UP)
# Codes of coins and metals that are also those of moneys no exchange trades: Mantle, not the tugrik.
_COINS = frozenset({"BAN", "GNS", "MNT", "MTL", "MVP", "SOS", "TOP", "XAG", "XAU", "XPD", "XPT"})
_DOLLARS = frozenset({"USDT", "USDC"})
_COMPACT_FROM = Decimal(10_000)
_DIGITS_SHOWN = 8

PLATFORM_NAMES: Mapping[str, str] = {"telegram": "Telegram", "slack": "Slack", "web": "Web"}
PERMISSION_NAMES: Mapping[Permission, str] = {
    Permission.BALANCES: mark("view balances"),
    Permission.FILLS: mark("view fills"),
    Permission.ORDERS: mark("view open orders"),
    Permission.ACCOUNT: mark("view account information"),
    Permission.TRADE: mark("place orders"),
    Permission.TRANSFER: mark("internal transfers"),
    Permission.WITHDRAW: mark("withdraw"),
}


@lru_cache
def catalogue(locale: str) -> Mapping[str, str]:
    """Return the sentences of a language by their English msgid; English is its own catalogue."""
    if locale == "en":
        return {}
    path = _FOLDER / locale / "LC_MESSAGES" / "keyherald.po"
    with path.open("rb") as file:
        entries = read_po(file, locale=locale)
    return {str(e.id): str(e.string) for e in entries if e.id and e.string and not e.fuzzy}


def nearest_locale(hint: str) -> str | None:
    """Return the language we speak that fits a hint like `pt-BR`, or None."""
    language = hint.replace("_", "-").split("-")[0].lower()
    return language if language in LOCALES else None


def known_currency(code: str) -> bool:
    """Tell whether the code is a currency of a country."""
    return is_currency(code) and code not in _COINS


@dataclass(frozen=True, slots=True)
class Translator:
    """Speaks one language for a reader in one time zone."""

    locale: str = "en"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    @property
    def _babel(self) -> Locale:
        return Locale.parse(_REGION[self.locale])

    def say(self, msgid: str, **params: object) -> str:
        """Return the sentence in the reader's language with its values filled in."""
        text = catalogue(self.locale).get(msgid, msgid)
        return text.format(**params) if params else text

    def explain(self, error: BotError) -> str:
        """Return what a person reads of an error of theirs."""
        return self.say(error.msgid, **error.params)

    def quantity(self, number: Decimal, asset: str) -> str:
        """Return a quantity without its unit: exact, but money of a country has two decimals."""
        if known_currency(asset) and abs(number) >= 1:
            with localcontext(_EXACT):
                return format_decimal(_rounded(number, 2), locale=self._babel, format="#,##0.00")
        return self._exact(number)

    def rounded(self, number: Decimal, asset: str) -> str:
        """Return a quantity in eight digits that matter, for a table; whole units are never rounded."""
        places = max(0, _DIGITS_SHOWN - 1 - number.adjusted()) if number else 0
        return self.quantity(_rounded(number, places), asset)

    def amount(self, number: Decimal, asset: str) -> str:
        """Return a quantity with its unit, as `0.5 BTC`."""
        return f"{self.quantity(number, asset)} {asset}"

    def money(self, number: Decimal, currency: str) -> str:
        """Return a value rounded to the currency's smallest unit, as `$1,234.50` or `0.04512 BTC`."""
        rounded = _rounded(number, _places(currency))
        with localcontext(_EXACT):
            if known_currency(currency):
                shown = format_currency(rounded, currency, locale=self._babel)
                # Where a language writes the code in place of a sign, it must not touch the number.
                return re.sub(rf"{currency}(?=\d)", f"{currency}\u00a0", shown)
            pattern = "#,##0.00" if currency in _DOLLARS else "#,##0.00######"
            return f"{format_decimal(rounded, locale=self._babel, format=pattern)} {currency}"

    def signed(self, number: Decimal, currency: str) -> str:
        """Return a change of value with its sign; what rounds to nothing has none."""
        return f"{_sign(_rounded(number, _places(currency)))}{self.money(number.copy_abs(), currency)}"

    def percent(self, ratio: Decimal) -> str:
        """Return a signed ratio as a percentage with one decimal."""
        rounded = _rounded(ratio, 3)
        with localcontext(_EXACT):
            return _sign(rounded) + format_percent(abs(rounded), locale=self._babel, format="#,##0.0 %")

    def share(self, ratio: Decimal) -> str:
        """Return a part of a whole as a percentage with one decimal."""
        least = Decimal("0.001")
        tiny = 0 < ratio < least
        with localcontext(_EXACT):
            shown = format_percent(
                least if tiny else _rounded(ratio, 3), locale=self._babel, format="#,##0.0 %"
            )
        return f"<{shown}" if tiny else shown

    def day(self, moment: datetime) -> str:
        """Return the date in the reader's zone."""
        return format_date(moment.astimezone(self.zone).date(), "medium", locale=self._babel)

    def time(self, moment: datetime) -> str:
        """Return the time of day in the reader's zone."""
        return format_time(moment.astimezone(self.zone), "short", locale=self._babel)

    def moment(self, moment: datetime) -> str:
        """Return date and time in the reader's zone."""
        return format_datetime(moment.astimezone(self.zone), "medium", locale=self._babel)

    def price(self, number: Decimal, quote: str) -> str:
        """Return a price without losing digits."""
        return f"{self._exact(number)} {quote}"

    def brief(self, moment: datetime) -> str:
        """Return day and time without the year, in the reader's zone, for tables."""
        # Babel has no skeleton for day and time together and finds none that comes near.
        local = moment.astimezone(self.zone)
        return f"{format_skeleton('MMMd', local, locale=self._babel)}, {self.time(moment)}"

    def scale(self, numbers: Sequence[Decimal]) -> tuple[str, ...]:
        """Return the numbers of an axis, alike in digits, with thousands and millions in few of them."""
        most = max(map(abs, numbers), default=Decimal(0))
        step = abs(numbers[1] - numbers[0]) if len(numbers) > 1 else most
        unit = Decimal(1000) ** (most.adjusted() // 3) if most >= _COMPACT_FROM else Decimal(1)
        places = max(0, -int((step / unit).normalize().as_tuple().exponent)) if step else 0
        with localcontext(_EXACT):
            if unit > 1 and places <= 2:
                return tuple(
                    format_compact_decimal(n, locale=self._babel, fraction_digits=places) if n else "0"
                    for n in numbers
                )
            digits = max(0, -int(step.normalize().as_tuple().exponent)) if step else 0
            pattern = "#,##0" + ("." + "0" * digits if digits else "")
            return tuple(format_decimal(n, locale=self._babel, format=pattern) for n in numbers)

    def short_day(self, moment: datetime) -> str:
        """Return day and month in the reader's zone, as on an axis."""
        return format_skeleton("MMMd", moment.astimezone(self.zone), locale=self._babel)

    def month(self, moment: datetime, *, year: bool) -> str:
        """Return the month in the reader's zone, as on an axis."""
        return format_skeleton("yMMM" if year else "MMM", moment.astimezone(self.zone), locale=self._babel)

    def span(self, seconds: int) -> str:
        """Return a length of time in words, as `10 minutes`."""
        return format_timedelta(max(1, seconds), threshold=0.9, locale=self._babel)

    def weekday(self, number: int) -> str:
        """Return the short name of a weekday; Monday is 0."""
        return str(self._babel.days["format"]["abbreviated"][number])

    def place(self, place: Place) -> str:
        """Return what a place is called in a sentence: a group by its title, a chat by its platform."""
        platform = PLATFORM_NAMES.get(place.platform, place.platform)
        if place.private:
            return self.say("your chat on {platform}", platform=platform)
        named = f"“{place.title}”" if place.title else self.say("a group on {platform}", platform=platform)
        return self.say("{place}, topic {topic}", place=named, topic=place.thread) if place.thread else named

    def lasted(self, time: timedelta) -> str:
        """Return how long something lasted, in days, hours and minutes by symbols all languages share."""
        minutes = max(1, round(time.total_seconds() / 60))
        days, rest = divmod(minutes, 24 * 60)
        hours, minutes = divmod(rest, 60)
        parts = [(days, "d"), (hours, "h"), (minutes, "min")]
        return " ".join(f"{number} {unit}" for number, unit in (parts[:2] if days else parts) if number)

    def permission(self, permission: Permission) -> str:
        """Return the name of a permission."""
        return self.say(PERMISSION_NAMES[permission])

    def _exact(self, number: Decimal) -> str:
        with localcontext(_EXACT):
            shown = number.normalize() if number else Decimal(0)
            return format_decimal(shown, locale=self._babel, decimal_quantization=False)


def _places(currency: str) -> int:
    if known_currency(currency):
        return get_currency_precision(currency)
    return 2 if currency in _DOLLARS else 8


def _rounded(number: Decimal, places: int) -> Decimal:
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT)
    return rounded or rounded.copy_abs()


def _sign(number: Decimal) -> str:
    return "+" if number > 0 else "−" if number < 0 else "±"
