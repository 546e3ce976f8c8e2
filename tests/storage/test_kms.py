"""A master key that a key service keeps wrapped: opened once at start, useless without the service.

AWS is played by moto, Google and Vault by doubles of their documented APIs; each over real HTTP.
"""

import asyncio
import base64
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from chatbot.errors import ConfigError, VaultError
from storage import kms
from storage.database import Database
from storage.masterkeys import add_master_key, create_master_key_file, read_master_key_file
from storage.rewrap import rotate
from storage.vault import Sealer, Vault
from tests.support import keyservices
from tests.support.practice import serve
from tests.support.vaults import PEPPER

TOKEN = "hvs.a-token-of-the-test"
Env = Callable[[str, str], None]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@asynccontextmanager
async def aws(env: Env, folder: Path) -> AsyncIterator[str]:
    del folder
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL_KMS": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        env(name, value)
    try:
        made = await asyncio.to_thread(lambda: boto3.client("kms").create_key()["KeyMetadata"]["Arn"])
        yield f"aws-kms:{made}"
    finally:
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def gcp(env: Env, folder: Path) -> AsyncIterator[str]:
    async with serve(keyservices.google()) as origin:
        login = folder / "login.json"
        login.write_text(keyservices.google_login(origin))
        env("GOOGLE_APPLICATION_CREDENTIALS", str(login))
        env("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS", origin)
        yield f"gcp-kms:{keyservices.GCP_KEY}"


@asynccontextmanager
async def vault(env: Env, folder: Path) -> AsyncIterator[str]:
    del folder
    async with serve(keyservices.vault(TOKEN)) as origin:
        env("VAULT_ADDR", origin)
        env("VAULT_TOKEN", TOKEN)
        yield "vault-transit:transit/keyherald"


SERVICES = [aws, gcp, vault]


@pytest.fixture(params=SERVICES, ids=lambda service: service.__name__)
async def setting(request, monkeypatch, tmp_path) -> AsyncIterator[str]:
    """A KMS_KEY whose service runs."""
    async with request.param(monkeypatch.setenv, tmp_path) as name:
        yield name


async def test_a_new_master_key_is_kept_wrapped_and_opens_again(setting, tmp_path):
    """The file holds no key, only what the service can open; the mode is as strict as ever."""
    path = tmp_path / "keys" / "master.key"
    name = await asyncio.to_thread(create_master_key_file, path, setting)

    keys = await asyncio.to_thread(read_master_key_file, path, setting)

    (line,) = path.read_text().splitlines()
    assert line.startswith(f"{name}:{setting.partition(':')[0]}:")
    assert base64.b64encode(keys.newest.key.reveal()).decode() not in path.read_text()
    assert keys.newest.key.reveal() not in base64.b64decode(line.rpartition(":")[2])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.newest.id == name


async def test_rewrap_moves_a_plain_installation_into_the_service(setting, tmp_path):
    """`KMS_KEY` set and `rewrap` run: the new key is wrapped, and the plain one may go."""
    path = tmp_path / "keys" / "master.key"
    old = create_master_key_file(path)
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.migrate()
    report = await rotate(database, await asyncio.to_thread(read_master_key_file, path, setting))

    first = path.read_text().splitlines()[0]
    assert first.split(":")[1] == setting.partition(":")[0]
    assert old in report.retired
    await database.close()


async def test_a_wrapped_key_stands_for_no_other(setting, tmp_path):
    """Two lines that change their ids are refused: each wrapped key is bound to its own."""
    path = tmp_path / "keys" / "master.key"
    for make in (create_master_key_file, add_master_key):
        await asyncio.to_thread(make, path, setting)
    one, two = (line.split(":", 1) for line in path.read_text().splitlines())
    path.write_text(f"{one[0]}:{two[1]}\n{two[0]}:{one[1]}\n")

    with pytest.raises(ConfigError, match="did not give the master key"):
        await asyncio.to_thread(read_master_key_file, path, setting)


async def test_a_refused_login_is_one_sentence_without_the_token(monkeypatch, tmp_path):
    """What the service says is named by its kind, and nothing secret is in it."""
    path = tmp_path / "keys" / "master.key"
    async with vault(monkeypatch.setenv, tmp_path) as setting:
        await asyncio.to_thread(create_master_key_file, path, setting)
        monkeypatch.setenv("VAULT_TOKEN", "hvs.expired")
        with pytest.raises(ConfigError) as refused:
            await asyncio.to_thread(read_master_key_file, path, setting)

    assert str(refused.value).startswith("Vault did not give the master key (Forbidden)")
    assert "hvs." not in str(refused.value)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_that_is_away_stops_the_start_in_one_sentence(service, monkeypatch, tmp_path):
    """No traceback and no endless wait: the operator reads what to check."""
    path = tmp_path / "keys" / "master.key"
    async with service(monkeypatch.setenv, tmp_path) as setting:
        await asyncio.to_thread(create_master_key_file, path, setting)

    with pytest.raises(ConfigError, match=r"did not give the master key .*check KMS_KEY"):
        await asyncio.to_thread(read_master_key_file, path, setting)


async def test_a_damaged_answer_of_google_is_refused(monkeypatch, tmp_path):
    """The checksum that travels with an answer is looked at."""
    async with serve(keyservices.google(damaged=True)) as origin:
        login = tmp_path / "login.json"
        login.write_text(keyservices.google_login(origin))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(login))
        monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS", origin)
        keeper = kms.find_keeper(f"gcp-kms:{keyservices.GCP_KEY}")

        with pytest.raises(ConfigError, match="a damaged answer"):
            await asyncio.to_thread(keeper.wrap, b"k" * 32, "purpose")


async def test_a_service_that_seals_but_does_not_open_changes_no_file(monkeypatch, tmp_path):
    """A login that may only encrypt is noticed before a line that nobody can open stands in the file."""
    path = tmp_path / "master.key"
    create_master_key_file(path)
    before = path.read_text()
    app = keyservices.vault(TOKEN)
    app.router.routes = [route for route in app.routes if "/encrypt/" in getattr(route, "path", "")]
    async with serve(app) as origin:
        monkeypatch.setenv("VAULT_ADDR", origin)
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        for make, file in ((add_master_key, path), (create_master_key_file, tmp_path / "new.key")):
            with pytest.raises(ConfigError, match="did not give the master key"):
                await asyncio.to_thread(make, file, "vault-transit:keyherald")

    assert path.read_text() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["master.key"]


async def test_a_running_bot_asks_the_service_for_what_is_new_alone(monkeypatch, tmp_path):
    """A rotation costs one question; a row under a key that nobody has costs none, however often it is read."""
    path, setting = tmp_path / "keys" / "master.key", "vault-transit:keyherald"
    asked: list[str] = []
    async with serve(keyservices.counted(keyservices.vault(TOKEN), asked)) as origin:
        monkeypatch.setenv("VAULT_ADDR", origin)
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        await asyncio.to_thread(create_master_key_file, path, setting)
        running = Vault(Sealer(await asyncio.to_thread(read_master_key_file, path, setting)), PEPPER)
        name = await asyncio.to_thread(add_master_key, path, setting)
        fresh = Sealer(await asyncio.to_thread(read_master_key_file, path, setting)).seal_bytes("p", b"data")
        asked.clear()

        assert bytes(await asyncio.to_thread(running.open_bytes, "p", fresh)) == b"data"
        assert asked == ["/v1/transit/decrypt/keyherald"]
        for _ in range(3):
            with pytest.raises(VaultError, match="no master key"):
                await asyncio.to_thread(running.open_bytes, "p", b"\x02zz" + fresh)
        assert len(asked) == 1
        assert running.seal_bytes("p", b"")[1:].startswith(name.encode())


async def test_a_running_bot_does_not_wait_for_a_service_that_is_away_again_and_again(monkeypatch, tmp_path):
    """After a refused question the unknown key stays unknown for a while, at no cost; the others go on."""
    path, setting = tmp_path / "keys" / "master.key", "vault-transit:keyherald"
    asked: list[str] = []
    async with serve(keyservices.counted(keyservices.vault(TOKEN), asked)) as origin:
        monkeypatch.setenv("VAULT_ADDR", origin)
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        await asyncio.to_thread(create_master_key_file, path, setting)
        running = Vault(Sealer(await asyncio.to_thread(read_master_key_file, path, setting)), PEPPER)
        old = running.seal_bytes("p", b"data")
        await asyncio.to_thread(add_master_key, path, setting)
        fresh = Sealer(await asyncio.to_thread(read_master_key_file, path, setting)).seal_bytes("p", b"data")
        asked.clear()
        monkeypatch.setenv("VAULT_TOKEN", "hvs.expired")

        for _ in range(3):
            with pytest.raises(VaultError, match="no master key"):
                await asyncio.to_thread(running.open_bytes, "p", fresh)

    assert len(asked) == 1
    assert running.open_bytes("p", old) == b"data"


@pytest.mark.parametrize(
    "text",
    ["aws-kms", "aws-kms:", "other:key", "", "gcp-kms:short", "vault-transit:/name", "vault-transit:a/"],
)
def test_a_kms_key_that_names_no_key_is_refused(text, monkeypatch):
    """The sentence says how one is written."""
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    with pytest.raises(ConfigError, match="KMS_KEY must"):
        kms.find_keeper(text)


def test_a_wrapped_line_names_the_service_it_needs(tmp_path):
    """A file that was wrapped elsewhere says which KMS_KEY is missing."""
    path = tmp_path / "master.key"
    path.write_text(f"k1:aws-kms:{base64.b64encode(b'x' * 60).decode()}\n")
    path.chmod(0o600)

    for setting in ("", "vault-transit:transit/keyherald"):
        with pytest.raises(ConfigError, match="set KMS_KEY to aws-kms"):
            read_master_key_file(path, setting)


def test_a_missing_extra_is_named(monkeypatch):
    """Without its library one sentence says what to install."""
    monkeypatch.setattr(kms, "_installed", lambda _: False)

    with pytest.raises(ConfigError, match=r"keyherald\[aws\]"):
        kms.find_keeper("aws-kms:alias/keyherald")
