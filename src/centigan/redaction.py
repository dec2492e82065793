"""What a URI keeps secret, taken out of whatever is said or stored.

Secret are a password, a user name without one, which is a token then, and what a query says. Libraries repeat
them in forms of their own: alone, percent-encoded, within another address.
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import format_exception
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus

from centigan.errors import UserError

HIDDEN = "***"
# up to the last @, as SQLAlchemy reads it: a password may hold what should have been encoded
USER = re.compile(r"^[\w+.-]+://(?P<user>[^:/?#@]*)(?::(?P<password>.*))?@", re.DOTALL)
IN_ANY_ADDRESS = re.compile(r"(?<=://)[^\s/?#]*@")
SECRET_KEY = re.compile("pass|pwd|token|secret|key|auth|cred|sig", re.IGNORECASE)
SHORT = 6  # characters; a shorter secret is looked for as a whole word, not within others


def redacted(text: str, uri: str) -> str:
    """The text without the secrets of a URI, and without the user of any other."""
    text = text.replace(uri, address(uri))
    for secret in sorted(_secrets(uri), key=len, reverse=True):
        pattern = re.escape(secret) if len(secret) >= SHORT else rf"(?<!\w){re.escape(secret)}(?!\w)"
        text = re.sub(pattern, HIDDEN, text)
    return IN_ANY_ADDRESS.sub(f"{HIDDEN}@", text)


def mark(uri: str) -> str:
    """Stands for a store, without telling its address: another store, another mark."""
    return hashlib.sha256(address(uri).encode()).hexdigest()[:8]


def address(uri: str) -> str:
    """The URI, to be shown: which store it is, without who asks and how."""
    bare, _, query = USER.sub(lambda found: f"{found[0].partition('//')[0]}//{HIDDEN}@", uri).partition("?")
    hidden = "&".join(f"{part.partition('=')[0]}={HIDDEN}" for part in query.split("&"))
    return f"{bare}?{hidden}" if query else bare


@contextmanager
def keeping_secret(uri: str) -> Iterator[None]:
    """Redact every message logged meanwhile, by any library, and an error that is no person's mistake.

    Raises:
        UserError: in place of an error whose traceback would tell a secret.
    """
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(_record_of(uri))
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        lines = format_exception(error)
        if redacted(told := "".join(lines), uri) == told:
            raise
        raise UserError(f"This should not have happened: {redacted(lines[-1].strip(), uri)}") from None
    finally:
        logging.setLogRecordFactory(before)


def _record_of(uri: str) -> type[logging.LogRecord]:
    class Record(logging.LogRecord):
        """Tells neither in its message nor in its traceback what the URI keeps secret."""

        def getMessage(self) -> str:  # noqa: N802
            return redacted(super().getMessage(), uri)

        def __setattr__(self, name: str, value: object) -> None:
            safe = redacted(value, uri) if name == "exc_text" and isinstance(value, str) else value
            super().__setattr__(name, safe)

    return Record


def _secrets(uri: str) -> set[str]:
    """Every secret, in each form that a library may give it."""
    found = USER.match(uri)
    user, password = (found["user"], found["password"]) if found else ("", "")
    secrets = {password or user} | {v for k, v in parse_qsl(uri.partition("?")[2]) if SECRET_KEY.search(k)}
    plain = secrets | {unquote(secret) for secret in secrets} | {unquote_plus(secret) for secret in secrets}
    encoded = {form for text in plain for form in (quote(text), quote(text, safe=""), quote_plus(text))}
    return (plain | encoded) - {"", None}
