"""Pickles parsed, not run.

A pickle is a program, and to load it is to run it. Here numbers, texts, lists and dictionaries come out, and
where the program would import, call or build something stands an `Unbuilt`. Long strings stay in the file:
what comes out is at which bytes they lie.
"""

from dataclasses import dataclass
from pathlib import Path
from pickletools import OpcodeInfo, genops, markobject
from typing import Any, NamedTuple

LONG = 3072  # bytes; a string as long, CIFAR's image, or longer is left in the file


class Blob(NamedTuple):
    """A string left in the file: its first byte there, and its bytes."""

    offset: int
    size: int


@dataclass
class Unbuilt:
    """Where a pickle would import, call or build something; `state` is what it would give to it."""

    state: object = None


def read_dictionary(path: Path) -> dict[Any, Any]:
    """The dictionary that a pickle of protocol 2 to 4 describes; nothing in it is run.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: for what is no such pickle.
    """
    stack: list[Any] = []
    memo: dict[Any, Any] = {}
    with path.open("rb") as file:
        for opcode, argument, _ in genops(file):
            taken = _take(stack, opcode)
            match opcode.name:
                case "PROTO" | "FRAME":
                    continue
                case "BINPUT" | "LONG_BINPUT":
                    memo[argument] = stack[-1]
                    continue
                case "MEMOIZE":
                    new = memo[len(memo)] = taken[0]
                case "BINGET" | "LONG_BINGET":
                    new = memo[argument]
                case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINUNICODE" | "SHORT_BINUNICODE" | "NONE":
                    new = argument  # genops has read it
                case "BINSTRING" | "SHORT_BINSTRING" | "BINBYTES" | "SHORT_BINBYTES":
                    new = _string(argument, file.tell())
                case "NEWTRUE" | "NEWFALSE":
                    new = opcode.name == "NEWTRUE"
                case "MARK":
                    new = markobject
                case "EMPTY_LIST":
                    new = []
                case "EMPTY_DICT":
                    new = {}
                case "APPEND" | "APPENDS":
                    new, *items = taken
                    new.extend(items)
                case "SETITEM" | "SETITEMS":
                    new, *items = taken
                    new.update(zip(items[::2], items[1::2], strict=True))
                case "EMPTY_TUPLE" | "TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3":
                    new = tuple(taken)
                case "GLOBAL" | "STACK_GLOBAL" | "REDUCE":
                    new = Unbuilt()
                case "BUILD":
                    new, new.state = taken
                case "STOP":
                    new = taken[0]
                case other:
                    raise ValueError(f"it holds the opcode {other}")
            stack.append(new)
    if not isinstance(stack[-1], dict):
        raise ValueError("it holds no dictionary")
    return stack[-1]


def _take(stack: list[Any], opcode: OpcodeInfo) -> list[Any]:
    """Take from the stack what pickletools says that an opcode takes, without the mark."""
    needs = opcode.stack_before
    start = len(stack) - len(needs)
    if markobject in needs:
        start = len(stack) - 1 - stack[::-1].index(markobject) - needs.index(markobject)
    if start < 0:
        raise ValueError(f"nothing is there for the opcode {opcode.name}")
    taken = [item for item in stack[start:] if item is not markobject]
    del stack[start:]
    return taken


def _string(argument: Any, end: int) -> str | Blob:
    if len(argument) >= LONG:
        return Blob(end - len(argument), len(argument))
    return argument if isinstance(argument, str) else argument.decode("latin-1")
