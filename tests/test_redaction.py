"""Nothing that is said or stored repeats what the address of a store keeps secret."""

import logging
from urllib.parse import quote

import pytest

from centigan.errors import UserError
from centigan.redaction import address, keeping_secret, redacted

SECRET = "s3cr3t-tok/en+1"
ENCODED = quote(SECRET, safe="")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        (f"https://{ENCODED}@host:1/x", "https://***@host:1/x"),
        (f"https://{ENCODED}:@host", "https://***@host"),
        (f"https://me:{ENCODED}@host/x", "https://***@host/x"),
        (
            f"postgresql://me:{SECRET}@host/db",
            "postgresql://***@host/db",
        ),  # not encoded, as SQLAlchemy allows
        (f"https://host/x?password={ENCODED}", "https://host/x?password=***"),
        (f"https://host?a=1&token={ENCODED}", "https://host?a=***&token=***"),
        ("sqlite:////home/me@work/mlflow.db", "sqlite:////home/me@work/mlflow.db"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_its_secrets_and_no_text_repeats_them(uri: str, shown: str) -> None:
    assert address(uri) == shown
    forms = (uri, uri.partition("//")[2], quote(uri), quote(uri, safe=""), repr(uri), SECRET, ENCODED)
    text = redacted(" | ".join(f"failed: <{form}>" for form in forms if "me@work" not in form), uri)
    if SECRET in uri or ENCODED in uri:
        assert not any(secret in text for secret in (SECRET, ENCODED, quote(SECRET)))


def test_a_short_secret_is_no_part_of_other_words() -> None:
    assert redacted("the user's use of 'us'", "https://us@host") == "the user's use of '***'"


def test_a_library_that_logs_an_address_logs_it_without(caplog: pytest.LogCaptureFixture) -> None:
    uri, log = f"https://{ENCODED}@host", logging.getLogger("some.library")
    with keeping_secret(uri):
        log.warning("trying %s again", uri)
        try:
            raise ValueError(f"no answer of {uri}")
        except ValueError:
            log.exception("failed")
    assert ENCODED not in caplog.text
    assert "trying https://***@host again" in caplog.text
    assert "ValueError: no answer of https://***@host" in caplog.text
    log.warning("of %s", uri)
    assert ENCODED in caplog.messages[-1]  # no longer than asked for


def test_an_error_that_would_tell_is_one_line_that_does_not() -> None:
    uri = f"https://{ENCODED}@host"
    told = "This should not have happened: KeyError: 'https://***@host'"
    with pytest.raises(UserError, match=told.replace("*", r"\*")) as error, keeping_secret(uri):
        raise KeyError(uri)
    assert error.value.__suppress_context__
    with pytest.raises(KeyError, match="other"), keeping_secret(uri):
        raise KeyError("other")
