"""The command line: parses, calls bootstrap, and turns a refused start into one plain message."""

import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from chatbot.bootstrap import demo as demos
from chatbot.bootstrap import roles, tasks
from chatbot.bootstrap.parts import build
from chatbot.errors import ConfigError, EdgeError
from chatbot.logs import configure, get_log
from chatbot.settings import Settings, release
from storage.coredumps import harden_process

ENV_FILE = Path(".env")

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
audit = typer.Typer(no_args_is_help=True, help="Who did what, and whether nobody has tampered with it.")
cli.add_typer(audit, name="audit")


def main() -> None:
    """Run the command line."""
    cli()


def _settings() -> Settings:
    settings = Settings.from_environ(os.environ, ENV_FILE if ENV_FILE.exists() else None)
    configure(settings.log_level, json=not sys.stderr.isatty())
    return settings


def _run(work: Callable[[], Coroutine[Any, Any, int | None]]) -> None:
    # Before the first secret is read, whatever the command.
    harden_process()
    try:
        code = roles.in_loop(work())
    except KeyboardInterrupt:
        code = 0
    except BaseExceptionGroup as group:
        code = _refused(_first(group))
    except Exception as error:  # noqa: BLE001  the last net: no traceback reaches a person
        code = _refused(error)
    raise typer.Exit(code or 0)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _refused(error: BaseException) -> int:
    if not isinstance(error, (ConfigError, EdgeError)):
        get_log().error("stopped", error=repr(type(error).__name__), cause=error)
        typer.echo(
            "Keyherald stopped on an unexpected error; the log line above says where. Please report it.",
            err=True,
        )
        return 1
    lines = (
        error.problems
        if isinstance(error, ConfigError)
        else (f"The database or a service can't be used: {error}.",)
    )
    for line in lines:
        typer.echo(line, err=True)
    return 1


@cli.command()
def demo() -> None:
    """Try everything on this machine: web chat, practice exchange, no account, no token."""
    configure(os.environ.get("LOG_LEVEL", "warning"))
    _run(lambda: demos.run_demo(os.environ))


@cli.command()
def run() -> None:
    """Run the bot in one process, with the settings of the environment and .env."""

    async def work() -> None:
        parts = await build(_settings())
        await roles.run_all(parts, announce=lambda: tasks.announce(parts))

    _run(work)


@cli.command()
def web() -> None:
    """Serve the link page and webhooks; a worker does the rest."""

    async def work() -> None:
        await roles.run_web(await build(_settings(), alone=False))

    _run(work)


@cli.command()
def worker() -> None:
    """Talk, poll the exchanges and send; a web process serves the pages."""

    async def work() -> None:
        await roles.run_worker(await build(_settings(), alone=False))

    _run(work)


@cli.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    _run(lambda: tasks.migrate(_settings()))


@cli.command()
def doctor() -> None:
    """Check settings, database, master key, public address, tokens and exchanges."""
    _run(lambda: tasks.doctor(_settings(), ENV_FILE))


@cli.command()
def rewrap() -> None:
    """Rotate the master key: add a new one to the file, seal everything under it."""
    _run(lambda: tasks.rewrap(_settings()))


@audit.command("verify")
def audit_verify(
    kept: Annotated[
        list[str] | None, typer.Option(help="An end this command printed earlier; it must still be there.")
    ] = None,
) -> None:
    """Find an entry of the audit that was changed, removed, added or moved."""
    _run(lambda: tasks.verify_audit(_settings(), kept or ()))


def _version(value: bool) -> None:
    if value:
        typer.echo(f"keyherald {release()}")
        raise typer.Exit


@cli.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Keyherald: read-only exchange accounts in your chat."""
    del version


if __name__ == "__main__":
    main()
