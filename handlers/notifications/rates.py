"""With what an account is valued: the exchange's own prices, and rates between moneys that others lend."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from chatbot.domain.balances import Balance, Prices, Snapshot, value
from chatbot.domain.credentials import Account
from chatbot.domain.rates import LENT_FOR, Lender, Rates, Valued, lender, wanting
from chatbot.ports.context import Context
from chatbot.ports.exchanges import Exchange
from chatbot.ports.stores import UnitOfWork


async def valued(
    store: UnitOfWork, account: Account, currency: str, ctx: Context, *, anyway: bool = False
) -> Valued | None:
    """Return an account as it was read last, valued; None before it was read, or its exchange's prices were.

    With `anyway` what was not read is empty.
    """
    snapshot = await store.balances.latest(account.id)
    prices = await store.balances.prices(account.exchange)
    if anyway:
        snapshot, prices = snapshot or Snapshot(ctx.clock.now(), ()), prices or Prices(ctx.clock.now(), {})
    if snapshot is None or prices is None:
        return None
    rates = await rates_for(store, account.exchange, prices, snapshot.balances, currency, ctx)
    worth = value(snapshot.balances, rates, currency, ctx.options.dust_below)
    return Valued(account.titled(ctx.exchange_of(account).title), snapshot, worth, rates)


async def rates_for(
    store: UnitOfWork, exchange: str, own: Prices, held: Iterable[Balance], currency: str, ctx: Context
) -> Rates:
    """Return own prices, and with them what others lend where own prices don't reach the currency."""
    moneys = wanting(held, own, currency)
    lent = [
        await kept(store, other, currency, ctx, LENT_FOR)
        for other in lenders(ctx.exchanges, exchange, moneys, currency)
    ]
    return Rates(own, tuple(one for one in lent if one is not None))


async def kept(
    store: UnitOfWork, exchange: Exchange, currency: str, ctx: Context, at_most: timedelta
) -> Lender | None:
    """Return what an exchange lends by its stored prices, unless they are older than that."""
    prices = await store.balances.prices(exchange.name)
    if prices is None or abs(ctx.clock.now() - prices.at) > at_most:
        return None
    return lender(exchange.title, prices, currency)


def lenders(
    exchanges: Mapping[str, Exchange], own: str, moneys: frozenset[str], currency: str
) -> Sequence[Exchange]:
    """Return the others that trade one of the moneys for the currency, the one most at home in it first."""
    able = [
        exchange
        for exchange in exchanges.values()
        if exchange.name != own and currency in exchange.quotes and not moneys.isdisjoint(exchange.quotes)
    ]
    return sorted(able, key=lambda exchange: (exchange.quotes.index(currency), exchange.name))
