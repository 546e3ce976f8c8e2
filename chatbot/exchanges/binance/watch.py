"""Which symbols to ask for new trades: Binance tells trades only of one symbol at a time. No I/O in here.

A trade changes balances. So each reading of the balances is held against the one before it: what changed and
no fill explains is a *gap*. While an asset has a gap its symbols are read, the likeliest first: those of two
gaps, those traded or ordered before, those of which both sides are held. A gap that stays (a deposit, or a
coin bought and sold between two readings) is *searched*: all symbols of the asset are read, a few with each
poll, then the change is taken as no trade. Beside that, all symbols of what is held take turns, slowly: a
round trip that left no trace comes out as well. All of this stands in the cursor, `State`.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from decimal import Decimal

import msgspec

from chatbot.domain.balances import Balance
from chatbot.domain.fills import Fill, Side
from chatbot.exchanges.binance.symbols import Table

NONE = Decimal(0)
# Binance cuts products and fees at the eighth digit; a few fills may sum up to this.
ROUNDING = Decimal("5e-8")
# Trades may show a little later than they move balances: so many readings are waited for them.
PATIENCE = 3
LIKELY, SEARCHED, TURN_MS = 8, 2, 60_000
MOST_KNOWN = 400
FEES = "BNB"


class State(msgspec.Struct, array_like=True):
    """The cursor: trades later than `since` (ms) are told, `ids` says up to which of each symbol.

    `seen` are the totals read last, `gaps` (amount, readings) and `searches` (amount, last symbol read,
    symbols left) what no fill explains; `todo` and `slow` the symbols still to be read in this round.
    """

    since: int = 0
    seen: dict[str, Decimal] = {}
    gaps: dict[str, tuple[Decimal, int]] = {}
    searches: dict[str, tuple[Decimal, str, int]] = {}
    ids: dict[str, int] = {}
    orders: list[str] = []
    locked: str = ""
    todo: list[str] = []
    slow: list[str] = []
    turned: int = 0
    turns: int = 0
    near: str = ""
    far: str = ""


def first(since: int, balances: Iterable[Balance]) -> str:
    """Return the cursor to begin with: what is traded after `since` is new, these balances are explained."""
    return written(State(since=since, seen=_totals(balances)))


def written(state: State) -> str:
    """Return a state as a cursor."""
    return msgspec.json.encode(state).decode()


def read(cursor: str) -> State:
    """Return the state of a cursor; an empty one wants every trade there ever was."""
    return msgspec.json.decode(cursor, type=State) if cursor else State()


class Watch:
    """A state on its way through one round, with the table of symbols at hand."""

    def __init__(self, state: State, table: Table) -> None:
        self.state, self._table = state, table
        self._held = {asset for asset, total in state.seen.items() if total}

    @property
    def pending(self) -> str:
        """The symbol to be read next; empty when the round is over."""
        return next(iter((*self.state.todo, *self.state.slow)), "")

    def begin(self, balances: Iterable[Balance], now: int, closed: Iterable[str] = ()) -> None:
        """Start a round with a fresh reading of the balances; `closed` had open orders and has none now."""
        state, totals = self.state, _totals(balances)
        for asset in sorted(state.seen.keys() | totals.keys() | state.gaps.keys()):
            change = totals.get(asset, NONE) - state.seen.get(asset, NONE)
            gap, rounds = state.gaps.pop(asset, (NONE, 0))
            state.gaps[asset] = (gap + change, 0 if change else rounds + 1)
            self._settle(asset)
        everything = not state.since and not state.turned
        state.seen, self._held = totals, set(totals)
        self._give_up()
        state.todo = [] if everything else self._likely()
        picked = self._ring() if everything else [*closed, *self._search(), *self._take_turns(now)]
        state.slow = list(dict.fromkeys(picked))
        state.turned = state.turned or now

    def take(self, symbol: str, new: Iterable[Fill], last: int | None, *, again: bool) -> None:
        """Note what a symbol brought, up to which id, and whether it is to be read again at once."""
        state, likely = self.state, symbol in self.state.todo[:1]
        for fill in new:
            for asset, change in _effects(fill):
                self._explain(asset, change, searched=not likely)
        if last is not None:
            state.ids.pop(symbol, None)
            state.ids[symbol] = last
            while len(state.ids) > MOST_KNOWN:
                del state.ids[next(iter(state.ids))]
        if not again:
            for queue in (state.todo, state.slow):
                if symbol in queue:
                    queue.remove(symbol)
            state.todo = [name for name in state.todo if self._is_wanted(name)]

    def forget(self, symbol: str) -> None:
        """Leave out a symbol that Binance no longer knows."""
        for names in (self.state.todo, self.state.slow, self.state.orders):
            while symbol in names:
                names.remove(symbol)
        self.state.ids.pop(symbol, None)

    def _explain(self, asset: str, change: Decimal, *, searched: bool) -> None:
        gaps, searches = self.state.gaps, self.state.searches
        if searched and asset in searches:
            total, last, left = searches[asset]
            searches[asset] = (total - change, last, left if abs(total - change) > ROUNDING else 0)
            return
        gap, rounds = gaps.get(asset, (NONE, 0))
        gaps[asset] = (gap - change, rounds)
        self._settle(asset)

    def _settle(self, asset: str) -> None:
        gap, searched = self.state.gaps[asset][0], self.state.searches.get(asset)
        if abs(gap) <= ROUNDING:
            del self.state.gaps[asset]
        elif searched is not None and abs(gap + searched[0]) <= ROUNDING:
            del self.state.gaps[asset], self.state.searches[asset]

    def _give_up(self) -> None:
        """Turn gaps that stay into searches, all the symbols of the asset from where it stands."""
        for asset, (gap, rounds) in list(self.state.gaps.items()):
            if rounds >= PATIENCE:
                del self.state.gaps[asset]
                before, last, _ = self.state.searches.get(asset, (NONE, "", 0))
                total = before + gap
                self.state.searches[asset] = (total, last, len(self._candidates(asset, total)))

    def _search(self) -> list[str]:
        picked: list[str] = []
        for asset, (gap, last, left) in list(self.state.searches.items()):
            if not left:
                del self.state.searches[asset]
                continue
            names = self._candidates(asset, gap)
            at, share = last, min(left, len(names), SEARCHED - len(picked))
            for _ in range(share):
                at = _following(names, at)
                picked.append(at)
            self.state.searches[asset] = (gap, at, left - share if names else 0)
        return picked

    def _take_turns(self, now: int) -> list[str]:
        state = self.state
        if now - state.turned < TURN_MS and state.turned:
            return []
        state.turned, state.turns = now, (state.turns + 1) % 2
        if state.turns:
            state.near = _following(self._near(), state.near)
            return [state.near] if state.near else []
        state.far = _following(self._ring(), state.far)
        return [state.far] if state.far else []

    def _candidates(self, asset: str, gap: Decimal) -> list[str]:
        # A fee is taken in BNB whatever was traded.
        if asset == FEES and gap < 0:
            return self._ring()
        return sorted(name for name in self._table.trading if asset in self._sides(name))

    def _near(self) -> list[str]:
        both = (n for n, m in self._table.trading.items() if m.base in self._held and m.quote in self._held)
        return sorted({*both, *self._known()})

    def _ring(self) -> list[str]:
        one = (n for n, m in self._table.trading.items() if m.base in self._held or m.quote in self._held)
        return sorted({*one, *self._known()})

    def _known(self) -> Collection[str]:
        return {*self.state.ids, *self.state.orders}

    def _likely(self) -> list[str]:
        gaps = self.state.gaps.keys()
        if not gaps:
            return []
        known, held = self._known(), self._held | gaps
        surely: list[str] = []
        before: list[str] = []
        maybe: list[str] = []
        for name in sorted({*self._table.trading, *known}):
            sides = self._sides(name)
            if sides and all(side in gaps for side in sides):
                surely.append(name)
            elif name in known and self._is_wanted(name):
                before.append(name)
            elif any(side in gaps for side in sides) and all(side in held for side in sides):
                maybe.append(name)
        return [*surely, *before, *maybe[:LIKELY]]

    def _sides(self, name: str) -> tuple[str, ...]:
        market = self._table.find(name)
        return (market.base, market.quote) if market else ()

    def _is_wanted(self, name: str) -> bool:
        gaps = self.state.gaps
        if any(side in gaps for side in self._sides(name)):
            return True
        return FEES in gaps and gaps[FEES][0] < 0 and name in self._known()


def _totals(balances: Iterable[Balance]) -> dict[str, Decimal]:
    return {balance.asset: balance.total.normalize() for balance in balances if balance.total}


def _effects(fill: Fill) -> tuple[tuple[str, Decimal], ...]:
    sign = 1 if fill.side is Side.BUY else -1
    return (fill.base, sign * fill.quantity), (fill.quote, -sign * fill.cost), (fill.fee_asset, -fill.fee)


def _following(names: list[str], last: str) -> str:
    """Return the name after the last one, round and round."""
    return names[bisect_right(names, last) % len(names)] if names else ""
