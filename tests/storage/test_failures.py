"""A connection that fails is named in our own words: the driver's text may hold half a password."""

import psycopg
import pytest
from sqlalchemy import exc

from chatbot.errors import StorageError
from storage.failures import guarded


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("failed to resolve host 'word@db': Name or service not known", "its host name is not known"),
        ('could not translate host name "word@db" to address', "its host name is not known"),
        ('connection to server at "word@db" failed: Connection refused', "nobody listens at its address"),
        ("connection timeout expired for word@db", "it did not answer in time"),
        ('FATAL: password authentication failed for user "word"', "it refuses the user or the password"),
        ("something about word that nobody thought of", "the connection failed"),
    ],
)
def test_a_connection_that_fails_is_told_in_our_words(said, reason):
    """Nothing of the address goes into the reason."""

    def work():
        raise exc.OperationalError("", {}, psycopg.OperationalError(said))

    with pytest.raises(StorageError) as failed:
        guarded(work)

    assert failed.value.reason == f"OperationalError: {reason}"
