"""What an error proves about a message: Slack's own code, the HTTP status, or the cause on the wire.

`transport` calls `verdict_on` for every failure of a call. Nothing but a refusal in Slack's words, or a
failure before the request left, counts as surely unsent. Reasons hold no token, no URL and nothing of the
message: of Slack's answer only its code and the place of a fault in our blocks are kept.
"""

import re
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackObjectFormationError, SlackRequestError

from chatbot.errors import SendError, Verdict

LONGEST_WAIT = 900.0
DEFAULT_WAIT = 10.0
MISSING_SCOPE = "missing_scope"
_BY_CODE: Mapping[Verdict, frozenset[str]] = {
    Verdict.GONE: frozenset({
        "access_denied", "cannot_dm_bot", "cannot_reply_to_message", "channel_not_found", "is_archived",
        "is_inactive", "messages_tab_disabled", "not_enabled", "not_in_channel", "restricted_action",
        "restricted_action_non_threadable_channel", "restricted_action_read_only_channel",
        "restricted_action_thread_locked", "restricted_action_thread_only_channel", "thread_not_found",
        "user_disabled", "user_not_found", "user_not_in_channel", "user_not_visible", "users_not_found",
    }),
    Verdict.UNAUTHORISED: frozenset({
        "account_inactive", "bad_client_secret", "enterprise_is_restricted", "invalid_auth",
        "invalid_client_id", MISSING_SCOPE, "no_permission", "not_allowed_token_type", "not_authed",
        "org_login_required", "team_access_not_granted", "team_not_found", "token_expired", "token_revoked",
        "two_factor_setup_required",
    }),
    Verdict.EDIT_GONE: frozenset({
        "cant_delete_message", "cant_update_message", "compliance_exports_prevent_deletion",
        "edit_window_closed", "message_not_found",
    }),
    Verdict.LIMITED: frozenset({"message_limit_exceeded", "rate_limited", "ratelimited"}),
    # Slack says of the first two itself that part of the work may be done.
    Verdict.UNKNOWN: frozenset({"fatal_error", "internal_error"}),
    Verdict.UNSENT: frozenset({
        "accesslimited", "ekm_access_denied", "external_channel_migrating", "request_timeout",
        "service_unavailable", "team_added_to_org",
    }),
}  # fmt: skip
_VERDICTS = {code: verdict for verdict, codes in _BY_CODE.items() for code in codes}
# Nothing left this machine: no address, no connection, no handshake, or no free connection in time.
_UNSENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    aiohttp.ServerFingerprintMismatch,
    SlackRequestError,
    SlackObjectFormationError,
)
_CODE = re.compile(r"[a-z][a-z0-9_]{1,60}")
_SCOPES = re.compile(r"[a-z0-9_.:,]{1,80}")
_SPOT = re.compile(r"json-pointer:(/[a-z0-9_/]{1,80})")


def verdict_on(error: BaseException) -> SendError:
    """Return the error with its verdict; the caller raises it outside its `except`, so nothing is chained."""
    if isinstance(error, SlackApiError):
        return _answered(error.response)
    verdict = Verdict.UNSENT if isinstance(error, _UNSENT) else Verdict.UNKNOWN
    return SendError(verdict, type(error).__name__)


def verdict_of(code: str) -> Verdict:
    """Return what one of Slack's own refusals means; one that nobody knows is a plain no."""
    return _VERDICTS.get(code, Verdict.REFUSED)


def _answered(response: Any) -> SendError:
    # One whose JSON broke off is aiohttp's own, without data.
    found = getattr(response, "data", None)
    data: Mapping[str, Any] = found if isinstance(found, dict) else {}
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    code = data.get("error") if data.get("ok") is False else None
    if status == 429 or (isinstance(code, str) and verdict_of(code) is Verdict.LIMITED):
        return SendError(Verdict.LIMITED, "too many requests", wait=_wait(getattr(response, "headers", {})))
    if isinstance(code, str):
        return SendError(verdict_of(code), _reason(code, data))
    # Not in Slack's words: a proxy's page, or an answer that broke off.
    foreign = 300 <= status < 500
    return SendError(Verdict.UNSENT if foreign else Verdict.UNKNOWN, f"HTTP {status} that is not from Slack")


def _reason(code: str, data: Mapping[str, Any]) -> str:
    if not _CODE.fullmatch(code):
        return "a refusal without a code"
    needed = data.get("needed")
    if code == MISSING_SCOPE and isinstance(needed, str) and _SCOPES.fullmatch(needed):
        return f"{code}: {needed}"
    spot = _SPOT.search(str(data.get("response_metadata", "")))
    return f"{code} at {spot[1]}" if spot else code


def _wait(headers: Mapping[str, str]) -> float:
    try:
        wait = float(headers.get("Retry-After", ""))
    except ValueError:
        return DEFAULT_WAIT
    # Neither an odd number nor one that is out of all measure may stop a conversation for good.
    return min(LONGEST_WAIT, max(1.0, wait)) if wait == wait else DEFAULT_WAIT  # noqa: PLR0124  not a number
