"""The one error that is shown to a person without a traceback, and nouns beside their number in messages."""


class UserError(Exception):
    """Bad input or a failing machine: says which file, key or split, and what to do."""


def plural(noun: str, count: int) -> str:
    """The noun in the number that goes with `count`: "class" of 1, "classes" of all others."""
    if count == 1:
        return noun
    return f"{noun}{'es' if noun.endswith('s') else 's'}"
