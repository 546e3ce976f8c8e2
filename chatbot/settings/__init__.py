"""Every setting of Keyherald in one frozen object, read once at start from the environment and `.env`.

Only bootstrap and the command line see it. Names, meanings and defaults stand in `_table.py`, from which
`.env.example` and the README's table are made. A start with bad settings fails with one message that
lists every problem, one sentence each, and never shows a secret.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from chatbot.domain.links import LONGEST_MINUTES
from chatbot.domain.people import Roster
from chatbot.domain.permissions import Permission, Policy
from chatbot.errors import ConfigError
from chatbot.ports.context import Options
from chatbot.settings import _checks as check
from chatbot.settings._slack import slack_problem
from chatbot.settings._table import BY_NAME, TABLE, Described, env_example, readme_table

__all__ = ["TABLE", "Described", "Settings", "env_example", "readme_table", "release"]

_EXCHANGES = "EXCHANGE_<NAME>_URL"
_SLACK_PARTS = ("bot_token", "signing_secret", "app_token", "client_id")
_NEEDS_URL = {"Telegram": "TELEGRAM_BOT_TOKEN", "Slack": "SLACK_BOT_TOKEN or SLACK_CLIENT_ID"}
_EXCHANGE = re.compile(r"EXCHANGE_([A-Z0-9]+(?:_[A-Z0-9]+)*)_URL")
# What may be a secret in the wrong place is not repeated in a message.
_TELL_TALE = re.compile(r"@|[A-Za-z0-9_+/=-]{20}|[^\x20-\x7e]")


class _Together(ValueError):
    """A whole sentence about settings that do not fit together."""


def release() -> str:
    """Return the version of Keyherald that runs."""
    try:
        return version("keyherald")
    except PackageNotFoundError:
        return "unreleased"


def _setting(name: str) -> Any:
    return Field(BY_NAME[name].default or "", alias=name)


def _optional(name: str) -> Any:
    return Field(None, alias=name)


def _by(checker: Callable[[str], object]) -> BeforeValidator:
    return BeforeValidator(lambda text: checker(text) if isinstance(text, str) else text)


class Settings(BaseSettings):
    """All settings, checked; secrets are wrapped, addresses have no slash at their end."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", validate_default=True, hide_input_in_errors=True, case_sensitive=True
    )

    data_dir: Annotated[Path, _by(lambda text: Path(text).expanduser())] = _setting("DATA_DIR")
    database_url: SecretStr = _setting("DATABASE_URL")
    master_key: SecretStr | None = _optional("MASTER_KEY")
    master_key_file: Annotated[Path | None, _by(lambda text: Path(text).expanduser())] = _optional(
        "MASTER_KEY_FILE"
    )
    credentials_directory: Path | None = _optional("CREDENTIALS_DIRECTORY")
    kms_key: str | None = _optional("KMS_KEY")
    log_level: Annotated[str, _by(check.one_of(check.LEVELS))] = _setting("LOG_LEVEL")

    host: Annotated[str, _by(check.listen_address)] = _setting("HOST")
    port: Annotated[int, _by(check.whole(1, 65535))] = _setting("PORT")
    trusted_proxies: Annotated[tuple[str, ...], _by(check.networks)] = _setting("TRUSTED_PROXIES")
    link_minutes: Annotated[int, _by(check.whole(1, LONGEST_MINUTES))] = _setting("LINK_MINUTES")

    telegram_bot_token: Annotated[SecretStr | None, _by(check.bot_token)] = _optional("TELEGRAM_BOT_TOKEN")
    telegram_api_url: Annotated[str | None, _by(check.origin)] = _optional("TELEGRAM_API_URL")
    telegram_webhook_secret: Annotated[SecretStr | None, _by(check.webhook_secret)] = _optional(
        "TELEGRAM_WEBHOOK_SECRET"
    )
    slack_bot_token: Annotated[SecretStr | None, _by(check.slack_token("xoxb"))] = _optional(
        "SLACK_BOT_TOKEN"
    )
    slack_signing_secret: SecretStr | None = _optional("SLACK_SIGNING_SECRET")
    slack_app_token: Annotated[SecretStr | None, _by(check.slack_token("xapp"))] = _optional(
        "SLACK_APP_TOKEN"
    )
    slack_client_id: Annotated[str | None, _by(check.client_id)] = _optional("SLACK_CLIENT_ID")
    slack_client_secret: SecretStr | None = _optional("SLACK_CLIENT_SECRET")
    slack_api_url: Annotated[str | None, _by(check.api_url)] = _optional("SLACK_API_URL")
    slack_command: Annotated[str, _by(check.slash_command)] = _setting("SLACK_COMMAND")
    # Below what it depends on: pydantic checks the fields in this order.
    public_url: str = _setting("PUBLIC_URL")

    admins: Annotated[frozenset[str], _by(check.people)] = _setting("ADMINS")
    members: Annotated[frozenset[str], _by(check.members)] = _setting("MEMBERS")

    poll_seconds: Annotated[int, _by(check.whole(1, 86_400))] = _setting("POLL_SECONDS")
    dust_below: Annotated[Decimal, _by(check.amount)] = _setting("DUST_BELOW")
    key_purpose: Annotated[str, _by(check.one_of(check.PURPOSES))] = _setting("KEY_PURPOSE")
    refuse_permissions: Annotated[frozenset[Permission], _by(check.permissions)] = _setting(
        "REFUSE_PERMISSIONS"
    )
    warn_permissions: Annotated[frozenset[Permission], _by(check.permissions)] = _setting("WARN_PERMISSIONS")
    key_max_age_days: Annotated[int, _by(check.whole(1, 3650))] = _setting("KEY_MAX_AGE_DAYS")
    egress_ips: Annotated[tuple[str, ...], _by(check.addresses)] = _setting("EGRESS_IPS")
    exchange_urls: Mapping[str, Annotated[str, _by(check.origin)]] = Field(alias="EXCHANGE_<NAME>_URL")

    default_locale: Annotated[str, _by(check.locale)] = _setting("DEFAULT_LOCALE")
    default_timezone: Annotated[str, _by(check.zone)] = _setting("DEFAULT_TIMEZONE")
    default_currency: Annotated[str, _by(check.currency)] = _setting("DEFAULT_CURRENCY")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], env_file: Path | None = None) -> Self:
        """Read the settings; an empty variable counts as unset, the environment wins over the file.

        Raises:
            ConfigError: with one sentence for every problem.
        """
        given: dict[str, Any] = {**_read_file(env_file), **_filled(environ)}
        given[_EXCHANGES] = {
            found[1].lower(): text
            for name, text in sorted(given.items())
            if (found := _EXCHANGE.fullmatch(name))
        }
        try:
            return cls(**given)
        except ValidationError as error:
            raise ConfigError(*_sentences(error)) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the names are pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the names are pydantic's
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the names are pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the names are pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing behind the caller's back: `from_environ` hands everything in."""
        return (init_settings,)

    @field_validator("database_url", mode="before")
    @classmethod
    def _database(cls, text: str, info: ValidationInfo) -> str:
        return check.database(text) if text else f"sqlite:///{info.data['data_dir'] / 'keyherald.sqlite'}"

    @field_validator("master_key_file")
    @classmethod
    def _one_master_key(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if path and info.data.get("master_key"):
            raise _Together(
                "Set either MASTER_KEY or MASTER_KEY_FILE, not both, so that it is clear which one counts."
            )
        return path

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _webhook(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret and not _telegram(info):
            raise _Together(
                "TELEGRAM_WEBHOOK_SECRET is of no use without TELEGRAM_BOT_TOKEN: set the token, "
                "or take the secret out."
            )
        return secret

    @field_validator("slack_client_secret")
    @classmethod
    def _slack(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        problem = slack_problem(
            {
                **{name: info.data.get(f"slack_{name}", True) for name in _SLACK_PARTS},
                "client_secret": secret,
            }
        )
        if problem:
            raise _Together(problem)
        return secret

    @field_validator("public_url", mode="before")
    @classmethod
    def _public_url(cls, text: str, info: ValidationInfo) -> str:
        platforms = _platforms(info)
        if not text and not platforms:
            return f"http://localhost:{info.data.get('port', '')}"
        if not text:
            raise _Together(
                f"PUBLIC_URL must be set together with {_NEEDS_URL[platforms[0]]}: the https address under "
                "which people's browsers reach us, for example PUBLIC_URL=https://bot.example.com."
            )
        url = check.public_url(text)
        for platform in platforms if check.is_loopback(url) else ():
            api = info.data.get(f"{platform.lower()}_api_url")
            if not (api and check.is_loopback(api)):
                raise _Together(
                    f'PUBLIC_URL is "{url}", which only this machine can open, so people on {platform} could '
                    "not use their link: set an https address, for example PUBLIC_URL=https://bot.example.com."
                )
        return url

    def options(self) -> Options:
        """Return what handlers act on."""
        return Options(
            public_url=self.public_url,
            policy=Policy(self.refuse_permissions, self.warn_permissions, self.key_purpose == "trade"),
            egress=self.egress_ips,
            poll_seconds=self.poll_seconds,
            link_minutes=self.link_minutes,
            dust_below=self.dust_below,
            locale=self.default_locale,
            timezone=self.default_timezone,
            currency=self.default_currency,
            key_max_age_days=self.key_max_age_days,
            version=release(),
        )

    def roster(self) -> Roster:
        """Return who may do what."""
        return Roster(self.admins, self.members)

    def set_or_unset(self) -> Mapping[str, bool]:
        """Tell for every setting whether somebody set it; never its value."""
        given = {
            field.alias for name, field in type(self).model_fields.items() if name in self.model_fields_set
        }
        return {s.name: bool(self.exchange_urls) if s.name == _EXCHANGES else s.name in given for s in TABLE}


def _telegram(info: ValidationInfo) -> bool:
    # A token that is there but wrong has no entry; it still means that Telegram is wanted.
    return info.data.get("telegram_bot_token", True) is not None


def _platforms(info: ValidationInfo) -> list[str]:
    # What is there but wrong has no entry; it still means that Slack is wanted.
    slack = any(info.data.get(f"slack_{name}", True) is not None for name in ("bot_token", "client_id"))
    return [name for name, wanted in (("Telegram", _telegram(info)), ("Slack", slack)) if wanted]


def _filled(variables: Mapping[str, str | None]) -> dict[str, str]:
    return {name: text.strip() for name, text in variables.items() if text and text.strip()}


def _read_file(env_file: Path | None) -> dict[str, str]:
    if env_file is None:
        return {}
    try:
        source = DotEnvSettingsSource(
            Settings, env_file=env_file, env_file_encoding="utf-8", case_sensitive=True
        )
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"The settings file {env_file} can't be read: it must be a readable UTF-8 text."
        ) from None
    return _filled(source.env_vars)


def _sentences(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        name, *inside = (str(part) for part in problem["loc"])
        flaw = problem.get("ctx", {}).get("error")
        if isinstance(flaw, _Together):
            yield str(flaw)
        else:
            yield _sentence(name, inside[0] if inside else "", flaw, problem["input"])


def _sentence(setting: str, exchange: str, flaw: object, given: object) -> str:
    described = BY_NAME.get(setting)
    name = setting.replace("<NAME>", exchange.upper())
    expected = flaw.expected if isinstance(flaw, check.Wrong) else "a text"
    part = flaw.part if isinstance(flaw, check.Wrong) else None
    shown = str(given) if part is None else part
    hidden = described is None or described.secret or len(shown) > 60 or _TELL_TALE.search(shown)
    start = (
        name
        if hidden
        else f'{name} is "{shown}", but it'
        if part is None
        else f'{name} holds "{shown}", but it'
    )
    example = f", for example {name}={described.example}" if described else ""
    return f"{start} must be {expected}{example}."
