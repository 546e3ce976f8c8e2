"""How ccxt is pointed at a practice exchange: its addresses, and nothing but what the poll needs."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any


def _same(origin: str) -> dict[str, Any]:
    return {"urls": {"api": {"public": origin, "private": origin}}}


def _binance(origin: str) -> dict[str, Any]:
    api = {"public": f"{origin}/api/v3", "private": f"{origin}/api/v3", "sapi": f"{origin}/sapi/v1"}
    return {
        "urls": {"api": api},
        "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False},
    }


def _okx(origin: str) -> dict[str, Any]:
    return {
        "urls": {"api": {"rest": origin}},
        "options": {"fetchMarkets": {"types": ["spot"]}},
        "has": {"fetchCurrencies": False},
    }


def _bitso(origin: str) -> dict[str, Any]:
    return {"urls": {"api": {"rest": f"{origin}/api"}}}


ADDRESSES: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "binance": _binance,
    "bitso": _bitso,
    "bitstamp": lambda origin: _same(f"{origin}/api"),
    "hitbtc": lambda origin: _same(f"{origin}/api/3"),
    "kraken": _same,
    "okx": _okx,
}


def make(server: Mapping[str, Any], key: Sequence[str]) -> Any:
    """Return a ccxt instance for one account, at the practice address, whose numbers are `Decimal`."""
    import ccxt.async_support as ccxt  # noqa: PLC0415  half a second and 70 MiB, for this side only

    who = dict(zip(("apiKey", "secret", "password"), key, strict=True))
    plain = {"enableRateLimit": False, "number": Decimal}
    return getattr(ccxt, server["exchange"])(who | plain | ADDRESSES[server["exchange"]](server["origin"]))


async def load_markets(instance: Any) -> None:
    """Load the markets; some are only read with numbers that are texts."""
    instance.number = str
    await instance.load_markets()
    instance.number = Decimal
