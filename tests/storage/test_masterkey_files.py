"""Files of master keys: who may reach them, which one counts, and that none is ever lost or half written."""

import os
import stat
from pathlib import Path
from threading import Thread

import pytest

from chatbot.errors import ConfigError
from storage.masterkeys import (
    add_master_key,
    create_master_key_file,
    find_master_keys,
    parse_master_keys,
    read_master_key_file,
)
from tests.support.vaults import key_line


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def file_refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_master_key_file(path)
    return str(caught.value).replace(str(path), "F")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_guarded_file_is_read(tmp_path, mode):
    """Mode 0600 or stricter is accepted, through a symbolic link too."""
    target = write(tmp_path / "real", key_line("k1") + "\n", mode)
    (tmp_path / "master.key").symlink_to(target)

    assert read_master_key_file(tmp_path / "master.key").newest.id == "k1"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_a_file_others_can_reach_is_refused(tmp_path, mode):
    """Whoever else may read or change the file holds the key."""
    path = write(tmp_path / "master.key", key_line("k1"), mode)

    assert file_refusal(path) == "Others can read or change the master key file F: run chmod 600 F."


def test_somebody_elses_file_is_refused(tmp_path, monkeypatch):
    """A file that belongs to another user can be changed by them at any time."""
    path = write(tmp_path / "master.key", key_line("k1"))
    status = os.stat_result((stat.S_IFREG | 0o600, 0, 0, 1, os.geteuid() + 1, 0, 9, 0, 0, 0))
    monkeypatch.setattr(os, "fstat", lambda _: status)

    assert file_refusal(path) == "The master key file F belongs to somebody else: make it yours with chown."


def test_a_folder_or_a_pipe_is_refused_without_waiting(tmp_path):
    """What is no regular file is refused at once; a pipe does not hold up the start."""
    os.mkfifo(tmp_path / "pipe", 0o600)

    assert file_refusal(tmp_path / "pipe") == "The master key file F is not a regular file: point to one."
    assert file_refusal(Path("/dev/null")) == "The master key file F is not a regular file: point to one."
    assert file_refusal(tmp_path) == "The master key file F is not a regular file: point to one."


def test_a_missing_file_is_refused(tmp_path):
    """The sentence says that there is no such file."""
    said = "The master key file F can't be opened (no such file or directory)."

    assert file_refusal(tmp_path / "none") == said


@pytest.mark.parametrize("content", [bytes(range(256)), b"k1:" + b"A" * 70_000])
def test_a_file_that_is_something_else_is_refused(tmp_path, content):
    """A binary or a huge file is not searched for keys."""
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)

    assert file_refusal(path) == "The master key file F is no text file of keys: point to the right file."


def test_a_fault_inside_a_file_names_the_file(tmp_path):
    """The sentence reads well when the keys come from a file."""
    path = write(tmp_path / "master.key", "k1\n")

    assert file_refusal(path).startswith("Entry 1 of the master key file F is not a master key: ")


def test_the_text_comes_first_then_the_file_then_the_credential_then_the_fallback(tmp_path):
    """Each place is used when those before it are empty; a blank setting is no setting."""
    file = write(tmp_path / "file", key_line("file"))
    fallback = write(tmp_path / "fallback", key_line("fallback"))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    write(credentials / "master.key", key_line("systemd"), 0o440)

    assert find_master_keys(key_line("text"), None, credentials, fallback=fallback).newest.id == "text"
    assert find_master_keys(" ", file, credentials, fallback=fallback).newest.id == "file"
    assert find_master_keys("", None, credentials, fallback=fallback).newest.id == "systemd"
    assert find_master_keys(None, None, tmp_path, fallback=fallback).newest.id == "fallback"


def test_two_places_at_once_are_refused(tmp_path):
    """Nobody has to guess which of two settings counts."""
    with pytest.raises(ConfigError, match=r"^Set MASTER_KEY or MASTER_KEY_FILE, not both\.$"):
        find_master_keys(key_line("k1"), tmp_path / "file", None)


def test_a_world_readable_credential_is_refused(tmp_path):
    """A credential of systemd may be group-readable by ACL, but never by everybody."""
    write(tmp_path / "master.key", key_line("k1"), 0o444)

    with pytest.raises(ConfigError, match="Others can read or change"):
        find_master_keys(None, None, tmp_path)


def test_no_place_at_all_is_refused(tmp_path):
    """Without any key the sentence says which setting to make and how."""
    for fallback in (None, tmp_path / "none"):
        with pytest.raises(ConfigError) as caught:
            find_master_keys(None, None, None, fallback=fallback)
        assert str(caught.value) == (
            "There is no master key: set MASTER_KEY_FILE to a file of mode 0600 with one line, an id, a colon"
            " and 32 random bytes in base64 (`openssl rand -base64 32` makes one)."
        )


def test_the_fallback_is_made_once(tmp_path):
    """Where it may be made, the first start makes the file and later ones read it."""
    path = tmp_path / "config" / "keyherald" / "master.key"

    first = find_master_keys(None, None, None, fallback=path, create=True)
    second = find_master_keys(None, None, None, fallback=path, create=True)

    assert (first.created, second.created) == (True, False)
    assert first.newest.key == second.newest.key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_existing_file_is_never_overwritten(tmp_path):
    """A key in use can't be lost by making a new one in its place."""
    path = write(tmp_path / "master.key", key_line("k1"))
    before = path.read_text()

    with pytest.raises(ConfigError, match="There already is a master key file"):
        create_master_key_file(path)

    assert path.read_text() == before


def test_a_file_that_cannot_be_written_is_refused(tmp_path):
    """A folder that is a file, or is not there, is told in one sentence."""
    (tmp_path / "file").touch()
    for make in (create_master_key_file, add_master_key):
        with pytest.raises(
            ConfigError, match=r"can't be written \(not a directory\)|\(file exists\)|already is"
        ):
            make(tmp_path / "file" / "master.key")


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    """When the disk is full neither half a file nor a changed one remains."""
    old = write(tmp_path / "master.key", key_line("k1"))
    before = old.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for make, path in ((create_master_key_file, tmp_path / "new"), (add_master_key, old)):
        with pytest.raises(ConfigError, match=r"can't be written \(no space left on device\)\.$"):
            make(path)

    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]
    assert old.read_text() == before


def test_a_key_is_added_before_the_others(tmp_path):
    """The new key is the newest, everything else in the file stays, and the mode stays strict."""
    path = write(tmp_path / "master.key", f"# keep me\n{key_line('k1')}")
    (tmp_path / ".master.key.new").write_text("left by a killed run")
    before = path.read_text()

    name = add_master_key(path)
    keys = read_master_key_file(path)

    assert [key.id for key in keys.keys] == [name, "k1"]
    assert path.read_text().endswith(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["master.key"]


def test_a_linked_file_is_changed_where_it_lies(tmp_path):
    """A symbolic link stays one; the file it points to gets the key."""
    target = write(tmp_path / "real", key_line("k1"))
    link = tmp_path / "master.key"
    link.symlink_to(target)

    add_master_key(link)

    assert link.is_symlink()
    assert len(read_master_key_file(target).keys) == 2


def test_a_bad_file_gets_no_key(tmp_path):
    """A file that would be refused at start is refused before it is changed."""
    path = write(tmp_path / "master.key", "nonsense")

    with pytest.raises(ConfigError, match="Entry 1"):
        add_master_key(path)

    assert path.read_text() == "nonsense"


def test_two_rotations_at_once_keep_both_keys(tmp_path):
    """Nobody's new key is lost when two programs add one at the same moment."""
    path = write(tmp_path / "master.key", key_line("k1"))
    threads = [Thread(target=add_master_key, args=[path]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(read_master_key_file(path).keys) == 9


def test_only_a_file_is_read_again(tmp_path):
    """A running bot follows changes of its file; a setting stays what it was at the start."""
    path = write(tmp_path / "master.key", key_line("k1"))
    from_file = read_master_key_file(path)
    from_text = parse_master_keys(key_line("k1"), "MASTER_KEY")

    add_master_key(path)

    assert len(from_file.reload().keys) == 2
    assert from_text.reload() is from_text
