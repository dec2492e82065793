"""What a paper says of numbers, as `fid/generated[wgan_gp] < 0.9 * fid/generated[gan]`; never run as code.

    claim       comparison {"and" comparison}
    comparison  sum ("<" | "<=" | ">" | ">=") sum
    sum         ["-"] product {("+" | "-") product}
    product     factor {"*" factor}
    factor      number | column "[" row "]"

A column is a name of summary.json, a row one of the study's table.
"""

import operator
import re
from collections.abc import Callable
from math import prod
from typing import NamedTuple

from centigan.errors import UserError

SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TOKEN = re.compile(
    r"\s*(?:(?P<cell>[A-Za-z_]\w*(?:/[\w.]+)*\s*\[[^\[\]]*\])|(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)"
    r"|(?P<sign><=|>=|[<>*+-]|and\b))"
)


class Cell(NamedTuple):
    """A number of the study's table."""

    column: str
    row: str


class Sum(NamedTuple):
    """Products, each with its sign, and how they were written."""

    text: str
    terms: tuple[tuple[int, tuple[Cell | float, ...]], ...]

    @property
    def cells(self) -> list[Cell]:
        return [factor for _, factors in self.terms for factor in factors if isinstance(factor, Cell)]

    def value(self, look_up: Callable[[Cell], float]) -> float:
        """The number that it comes to."""
        return sum(
            sign * prod(look_up(factor) if isinstance(factor, Cell) else factor for factor in factors)
            for sign, factors in self.terms
        )


class Comparison(NamedTuple):
    """Two numbers and what is said of them."""

    left: Sum
    sign: str
    right: Sum

    @property
    def cells(self) -> list[Cell]:
        return [*self.left.cells, *self.right.cells]


Token = str | float | Cell


def parse_claim(text: str) -> list[Comparison]:
    """The comparisons that must all hold.

    Raises:
        UserError: quoting the claim, and what of it is not understood.
    """
    try:
        return [_comparison(part) for part in _parted(_tokens(text), {"and"})[0]]
    except ValueError as error:
        raise UserError(f"claim {text!r}: {error}") from None


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        found = TOKEN.match(text, position)
        if not found:
            rest = text[position:].strip()
            raise ValueError(
                f"{rest!r} is not understood; write such as fid/generated[gan] < 2 * fid/generated[vae]"
            )
        if cell := found["cell"]:
            column, _, row = cell.removesuffix("]").partition("[")
            tokens.append(Cell(column.strip(), row.strip()))
        else:
            tokens.append(float(found["number"]) if found["number"] else found["sign"])
        position = found.end()
    return tokens


def _parted(tokens: list[Token], signs: set[str]) -> tuple[list[list[Token]], list[str]]:
    """The parts between any of these signs, and the signs between them."""
    parts: list[list[Token]] = [[]]
    between = []
    for token in tokens:
        if isinstance(token, str) and token in signs:
            parts.append([])
            between.append(token)
        else:
            parts[-1].append(token)
    return parts, between


def _comparison(tokens: list[Token]) -> Comparison:
    sides, signs = _parted(tokens, set(SIGNS))
    if len(signs) != 1:
        raise ValueError(f"each part compares once, with one of {' '.join(SIGNS)}, not {len(signs)} times")
    return Comparison(_sum(sides[0]), signs[0], _sum(sides[1]))


def _sum(tokens: list[Token]) -> Sum:
    products, signs = _parted(tokens, {"+", "-"})
    if len(products) > 1 and not products[0]:  # it begins with a sign
        products = products[1:]
    else:
        signs = ["+", *signs]
    terms = tuple(
        (-1 if sign == "-" else 1, _product(product)) for sign, product in zip(signs, products, strict=True)
    )
    return Sum(" ".join(_written(token) for token in tokens), terms)


def _product(tokens: list[Token]) -> tuple[Cell | float, ...]:
    factors, _ = _parted(tokens, {"*"})
    found: list[Cell | float] = []
    for factor in factors:
        if len(factor) != 1 or isinstance(factor[0], str):
            told = " ".join(_written(token) for token in factor)
            raise ValueError(f"one number or column[row] is expected, not {told or 'nothing'!r}")
        found.append(factor[0])
    return tuple(found)


def _written(token: Token) -> str:
    if isinstance(token, Cell):
        return f"{token.column}[{token.row}]"
    return token if isinstance(token, str) else f"{token:g}"
