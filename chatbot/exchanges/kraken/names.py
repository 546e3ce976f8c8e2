"""What Kraken's names stand for: assets with a letter before them, pockets after a dot, pairs without a mark.

Only assets of the first years have an `X` (coins) or `Z` (money) before them; that list is closed. Newer ones
are called as everywhere, so no letter is ever cut off by guess: `XTZ` is no `TZ`. What is held in a pocket
(`.F` earns by itself, `.S .M .B .P` is staked or bonded) is still that asset's money.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from chatbot.exchanges import _parse

# support.kraken.com, "Bitcoin currency code XBT vs BTC"; ids without a rule of their own: see `Assets`.
OLD: Mapping[str, str] = {
    **{f"X{code}": code for code in ("ETH", "ETC", "LTC", "XRP", "XLM", "XMR", "ZEC", "MLN", "REP")},
    **{f"X{code}": code for code in ("ICN", "NMC", "XVN", "DAO")},
    **{f"Z{code}": code for code in ("USD", "EUR", "GBP", "CAD", "JPY", "AUD", "KRW")},
    **dict.fromkeys(("XXBT", "XBT"), "BTC"),
    **dict.fromkeys(("XXDG", "XDG"), "DOGE"),
    "ETH2": "ETH",
}
# Money in a pocket of the first kind can be used at once; of the others it can't.
READY = frozenset({"F"})
POCKETS = READY | {"S", "M", "B", "P"}
# DOT28.S is DOT, bonded for 28 days.
BONDED = re.compile(r"(?P<asset>[A-Z]{2,})\d{2}")
# Quotes that no listed pair may have any more; old fills still name them.
FORMER_QUOTES = frozenset({"XXBT", "XBT", "XETH", "ETH", "USDT", "USDC", "DAI"}) | {
    name for code in ("USD", "EUR", "GBP", "CAD", "JPY", "AUD", "CHF") for name in (code, f"Z{code}")
}
LONGEST_PAIR = 40
Altnames = Mapping[str, str]
Pairs = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Book:
    """What Kraken lists: the other name of each asset, base and quote of each pair."""

    altnames: Altnames = field(default_factory=dict)
    pairs: Pairs = field(default_factory=dict)

    def find(self, pair: str) -> tuple[str, str]:
        """Return base and quote of a pair, listed or not; raises ValueError when the name can't be cut."""
        if pair in self.pairs:
            return self.pairs[pair]
        quotes = FORMER_QUOTES | {quote for _, quote in self.pairs.values()}
        base, quote = cut(pair, quotes, self.altnames.keys() | set(self.altnames.values()))
        return asset(base, self.altnames), asset(quote, self.altnames)


def split(code: str) -> tuple[str, str]:
    """Part an asset's code into the asset and the pocket it is in; the pocket is empty for plain money."""
    name, _, pocket = code.strip().upper().partition(".")
    if pocket not in POCKETS:
        return code.strip().upper(), ""
    bonded = BONDED.fullmatch(name) if pocket == "S" and name not in OLD else None
    return (bonded["asset"] if bonded else name), pocket


def asset(code: str, altnames: Altnames) -> str:
    """Return what an asset is called everywhere; raises ValueError when it can't be shown."""
    name, _ = split(code)
    if doubtful(code):
        name = altnames.get(name, name).upper()
    # Nothing here is cut at an underscore, and no balance must be lost over one.
    return _parse.asset(OLD.get(name, name).replace("_", "-"))


def doubtful(code: str) -> bool:
    """Tell whether only Kraken's own list of assets can say if a code begins with a letter too many."""
    name, _ = split(code)
    return len(name) == 4 and name[0] in "XZ" and name not in OLD


def cut(pair: str, quotes: Collection[str], known: Collection[str]) -> tuple[str, str]:
    """Cut the name of a pair that is no longer listed into two assets; raises ValueError when it has no two.

    Only history meets one; without this an account that once traded it could never be read to the end. The
    longest quote that leaves an asset somebody knows wins; two old names of four letters come next.
    """
    name = pair.strip().upper().partition(".")[0].partition(":")[0].replace("/", "")
    if len(name) < 2 or len(pair) > LONGEST_PAIR or not pair.isprintable():
        raise ValueError("not a pair")
    fitting = sorted({q for q in quotes if name.endswith(q) and name != q}, key=len, reverse=True)
    heads = [(name.removesuffix(quote), quote) for quote in fitting]
    sure = [(base, quote) for base, quote in heads if base in known or base in OLD]
    old = [(name[:4], name[4:])] if len(name) == 8 and name[0] in "XZ" and name[4] in "XZ" else []
    plain = [(base, quote) for base, quote in heads if quote not in OLD or quote == "XBT"]
    # Three letters are the usual length of a quote, when nothing else is known of it.
    rest = [(name[:-3], name[-3:])] if len(name) > 3 else [(name[:1], name[1:])]
    return [*sure, *old, *plain, *rest][0]
