"""Who opened a page inside Telegram: the signed `initData` that every Mini App is handed.

Document: core.telegram.org/bots/webapps, *Validating data received via the Mini App*.
"""

import hmac
import json
import re
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

# How far ahead Telegram's clock may be.
AHEAD = timedelta(seconds=30)
LONGEST = 4096
_NUMBER = re.compile(r"[0-9]{1,20}")


def user_of(init_data: str, token: str, now: datetime, life: timedelta) -> str | None:
    """Return the id of the user whom Telegram vouches for, or None; never raises.

    `init_data` is the query string as the page received it. A field given twice, a signature by another
    bot's token, one that is older than `life` or from the future: none of them counts.
    """
    if len(init_data) > LONGEST:
        return None
    try:
        pairs = parse_qsl(init_data, keep_blank_values=True, strict_parsing=True, errors="strict")
        fields = dict(pairs)
        given = fields.pop("hash")
        if len(pairs) != len(fields) + 1 or not _signed(fields, given, token):
            return None
        age = timedelta(seconds=int(now.timestamp()) - _number(fields["auth_date"]))
        user = _number(json.loads(fields["user"])["id"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return str(user) if -AHEAD <= age <= life else None


def _signed(fields: dict[str, str], given: str, token: str) -> bool:
    text = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    key = hmac.digest(b"WebAppData", token.encode(), "sha256")
    expected = hmac.digest(key, text.encode(), "sha256").hex()
    return hmac.compare_digest(expected.encode(), given.encode())


def _number(value: object) -> int:
    if isinstance(value, bool) or not _NUMBER.fullmatch(str(value)):
        raise ValueError("not a number")
    return int(str(value))
