"""OKX's parsers, each with the recorded answer it reads; the fuzz contract spoils it."""

from decimal import Decimal
from functools import partial

from chatbot.exchanges.okx import fills, wire
from chatbot.exchanges.okx.fills import Contract
from tests.support.okx import NOW, recorded

CONTRACTS = {
    ("SWAP", "BTC-USDT"): Contract(Decimal("0.01"), "BTC", "USDT"),
    ("FUTURES", "BTC-USD"): Contract(Decimal(100), "USD", "BTC"),
    ("OPTION", "BTC-USD"): Contract(Decimal("0.01"), "BTC", "BTC"),
}
PARSERS = {
    "balances": (recorded("account_balance"), wire.parse_trading),
    "funding": (recorded("asset_balances"), wire.parse_funding),
    "fills": (recorded("trade_fills"), partial(fills.parse_fills, contracts=CONTRACTS)),
    "contracts": (recorded("public_instruments"), fills.parse_contract),
    "prices": (
        recorded("market_tickers"),
        partial(wire.parse_prices, index=recorded("market_index_tickers"), at=NOW),
    ),
    "permissions": (recorded("account_config"), wire.parse_permissions),
    "time": (recorded("public_time"), wire.parse_time),
}
