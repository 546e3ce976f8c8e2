"""Which of Slack's settings belong together: one workspace by token, or many by OAuth."""

from collections.abc import Mapping


def slack_problem(given: Mapping[str, object]) -> str:
    """Say what is missing or too much among Slack's settings; empty when they fit together."""
    here = {name for name, value in given.items() if value is not None}
    if not here:
        return ""
    if "client_id" in here or "client_secret" in here:
        if "bot_token" in here or "app_token" in here:
            return (
                "SLACK_CLIENT_ID is for many workspaces and SLACK_BOT_TOKEN or SLACK_APP_TOKEN for one: set "
                "either, not both."
            )
        missing = sorted({"client_id", "client_secret", "signing_secret"} - here)
        names = " and ".join(f"SLACK_{name.upper()}" for name in missing)
        return f"For many workspaces on Slack, set {names} too." if missing else ""
    if "bot_token" not in here:
        names = " and ".join(f"SLACK_{name.upper()}" for name in sorted(here))
        return f"{names} is of no use without SLACK_BOT_TOKEN: set the token, or take it out."
    if not here & {"app_token", "signing_secret"}:
        return (
            "SLACK_BOT_TOKEN needs one more setting: SLACK_APP_TOKEN for Socket Mode, or "
            "SLACK_SIGNING_SECRET when Slack shall call PUBLIC_URL/slack/events."
        )
    return ""
