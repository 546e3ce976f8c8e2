"""What Bybit tells about a key (`/v5/user/query-api`), as our report; pure, fed with the answer.

`readOnly` decides first: a key that can only look still lists the areas it may look at, transfers and
withdrawals among them. Only in a key that can write do the lists say what it can do; a key that Bybit does
not call read-only can write.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from chatbot.domain.permissions import POWERS, Finding, Permission, PermissionReport, Switch, reported
from chatbot.exchanges import _parse
from chatbot.exchanges.bybit.wire import Camel, moment

MOST_TICKS = 40
LONGEST_TICK = 48
EVERYWHERE = "*"
SHOWN = re.compile(r"[^\w .:-]")

# What each tick allows to a key that can write; None changes nothing of the account's money.
ALLOWS: Mapping[str, Permission | None] = {
    "ContractTrade: Order": Permission.TRADE,
    "ContractTrade: Position": Permission.TRADE,
    "Spot: SpotTrade": Permission.TRADE,
    "Options: OptionsTrade": Permission.TRADE,
    "Derivatives: DerivativesTrade": Permission.TRADE,
    "CopyTrading": Permission.TRADE,
    "BlockTrade": Permission.TRADE,
    "Exchange: ExchangeHistory": Permission.TRADE,
    "FiatConvertBroker: FiatConvertBrokerOrder": Permission.TRADE,
    "FiatConvertBroker": Permission.TRADE,
    "Earn": Permission.TRANSFER,
    "Wallet: AccountTransfer": Permission.TRANSFER,
    "Wallet: SubMemberTransfer": Permission.TRANSFER,
    "Wallet: SubMemberTransferList": Permission.TRANSFER,
    "Wallet: Withdraw": Permission.WITHDRAW,
    # Money goes to somebody else: sold, paid or spent.
    "FiatP2P: FiatP2POrder": Permission.WITHDRAW,
    "FiatP2P: Advertising": Permission.WITHDRAW,
    "FiatBitPay: FaitPayOrder": Permission.WITHDRAW,
    "FiatBybitPay: FaitPayOrder": Permission.WITHDRAW,
    "FiatGlobalPay: FaitPayOrder": Permission.WITHDRAW,
    "BitCard": Permission.WITHDRAW,
    "ByXPost": None,
    "Affiliate": None,
    "NFT: NFTQueryProductList": None,
}
# What we ask for, or what every unified account's key has by itself.
NEEDED = frozenset(
    {
        *("ContractTrade: Order", "ContractTrade: Position", "Spot: SpotTrade", "Options: OptionsTrade"),
        *("Derivatives: DerivativesTrade", "Wallet: AccountTransfer"),
    }
)
ORDERS = frozenset({"ContractTrade: Order", "Spot: SpotTrade", "Options: OptionsTrade"})


class _Info(Camel):
    permissions: dict[str, list[str] | None]
    read_only: int | bool = 0
    ips: list[str] | None = None
    deadline_day: int | None = None
    expired_at: str | None = None
    created_at: str | None = None

    @property
    def looks_only(self) -> bool:
        """Tell whether the key can do nothing but look."""
        return self.read_only == 1


class _Answer(Camel):
    result: _Info
    time: int


def parse_report(body: bytes) -> PermissionReport:
    """Return what the key may do, where it works and when it ends, as Bybit says."""
    answer = _parse.decode(body, _Answer)
    info = answer.result
    with _parse.reading("permissions"):
        ticks = tuple(_ticks(info.permissions))
        return PermissionReport(
            findings=_findings(info, ticks),
            ip_bound=Switch.ON if _addresses(info) else Switch.OFF,
            expires_at=_end(info, moment(answer.time)),
            labels=tuple(_labels(info, ticks)),
            strange=() if info.looks_only else tuple(tick for tick in ticks if tick not in ALLOWS),
            addresses=_addresses(info),
            created_at=_date(info.created_at),
        )


def _findings(info: _Info, ticks: tuple[str, ...]) -> Mapping[Permission, Finding]:
    told = reported(_on(info, ticks))
    if ticks or info.looks_only:
        return told
    # A key that can write and lists nothing: what it can write, nobody has told.
    return {**told, **dict.fromkeys(POWERS, Finding())}


def _ticks(permissions: Mapping[str, list[str] | None]) -> Iterator[str]:
    found = [(group, name) for group, names in permissions.items() for name in names or ()]
    if len(found) > MOST_TICKS:
        raise ValueError("too many ticks")
    for group, name in found:
        yield SHOWN.sub("", name if group == name else f"{group}: {name}")[:LONGEST_TICK]


def _on(info: _Info, ticks: tuple[str, ...]) -> set[Permission]:
    on = {Permission.BALANCES}
    if ORDERS & set(ticks):
        on |= {Permission.FILLS, Permission.ORDERS}
    if "Wallet: AccountTransfer" in ticks:
        on.add(Permission.ACCOUNT)
    if not info.looks_only:
        on |= {power for tick in ticks if (power := ALLOWS.get(tick)) is not None}
    return on


def _labels(info: _Info, ticks: tuple[str, ...]) -> Iterator[str]:
    """Find what is ticked without need: a key that can only look does no harm with it."""
    for tick in ticks:
        harmless = info.looks_only or (tick in ALLOWS and ALLOWS[tick] is None)
        if harmless and tick not in NEEDED:
            yield tick


def _addresses(info: _Info) -> tuple[str, ...]:
    """Return the bound addresses; a star or an empty list stands for none."""
    listed = [SHOWN.sub("", address)[:LONGEST_TICK] for address in info.ips or () if address != EVERYWHERE]
    return tuple(address for address in listed if address.strip())


def _end(info: _Info, now: datetime) -> datetime | None:
    """Return when the key ends: a date of 1970 and a negative number of days stand for never."""
    end = _date(info.expired_at)
    if end is not None or info.deadline_day is None or info.deadline_day <= 0:
        return end
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=info.deadline_day)


def _date(text: str | None) -> datetime | None:
    if not text or text in {"0", "-1", "-2"}:
        return None
    date = _parse.moment(text)
    return date if date > datetime(1971, 1, 1, tzinfo=UTC) else None
