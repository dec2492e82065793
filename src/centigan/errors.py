"""The one error that is shown to a person without a traceback."""


class UserError(Exception):
    """Bad input or a failing machine: says which file, key or split, and what to do."""
