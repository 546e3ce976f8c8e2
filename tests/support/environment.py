"""The project's own environment variables, so that a developer's shell cannot change a test."""

import re

OURS = re.compile(
    r"(DATABASE_URL|DATA_DIR|PUBLIC_URL|HOST|PORT|ADMINS|MEMBERS|POLL_SECONDS|LINK_MINUTES|TRUSTED_PROXIES"
    r"|DUST_BELOW|LOG_LEVEL|KEY_PURPOSE|KEY_MAX_AGE_DAYS|EGRESS_IPS|CREDENTIALS_DIRECTORY"
    r"|(MASTER_KEY|KMS|TELEGRAM|SLACK|EXCHANGE|REFUSE|WARN|DEFAULT)(_.*)?)"
)


def is_ours(name: str) -> bool:
    """Whether the settings would read this variable."""
    return OURS.fullmatch(name) is not None
