"""Pandas query strings as row conditions: `carrier == "UA" and dep_delay > 0`.

GX hands such a string to `DataFrame.query`. Here a safe subset is read from Python's own syntax tree; what is
outside of it is refused with its name, never guessed.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import Any

import polars as pl

from expectations.engine.columns import Columns
from expectations.engine.comparisons import apply_comparison, compare
from expectations.engine.errors import RowConditionError

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "IN",
    ast.NotIn: "NOT_IN",
}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NULL_CHECKS = {"isnull": True, "isna": True, "notnull": False, "notna": False}
_BACKTICKED = re.compile(r"`([^`]*)`")
_SUPPORTED = "comparisons, `in` and `not in` lists, and/or/not, + - * /, .isnull(), .notnull()"


def parse_query(query: str, columns: Columns) -> pl.Expr:
    """Turn a pandas query string into a boolean expression that is never null.

    Raises:
        RowConditionError: no valid expression, an unknown column, or syntax beyond the supported subset.
    """
    quoted: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        name = f"__backticked_{len(quoted)}"
        quoted[name] = match[1]
        return name

    try:
        tree = ast.parse(_spell_out_booleans(_BACKTICKED.sub(stand_in, query.strip())), mode="eval")
    except (SyntaxError, ValueError, tokenize.TokenError) as exc:
        raise RowConditionError(f"row_condition {query!r} is no valid query: {exc}.") from exc
    return _Query(query, columns, quoted).truth(tree.body)


def _spell_out_booleans(query: str) -> str:
    """Write & and | as `and` and `or`, as pandas does before it parses: they bind loosely there."""
    words = {"&": "and", "|": "or"}
    tokens = tokenize.generate_tokens(io.StringIO(query).readline)
    return tokenize.untokenize(
        (tokenize.NAME, words[text]) if kind == tokenize.OP and text in words else (kind, text)
        for kind, text, *_ in tokens
    )


class _Query:
    """One query string being read: keeps its text for messages and its columns for types."""

    def __init__(self, text: str, columns: Columns, quoted: dict[str, str]) -> None:
        self._text = text
        self._columns = columns
        self._quoted = quoted

    def truth(self, node: ast.expr) -> pl.Expr:  # noqa: PLR0911  (a return for each kind of node)
        """Read a node that is true or false."""
        match node:
            case ast.BoolOp(op=ast.And(), values=parts):
                return pl.all_horizontal([self.truth(part) for part in parts])
            case ast.BoolOp(op=ast.Or(), values=parts):
                return pl.any_horizontal([self.truth(part) for part in parts])
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
                return ~self.truth(operand)
            case ast.Compare():
                return self._comparison(node)
            case ast.Call():
                return self._null_check(node)
            case ast.Name():
                return self._flag(node)
            case ast.Constant(value=bool() as value):
                return pl.lit(value)
        raise self._unsupported(node)

    def _comparison(self, node: ast.Compare) -> pl.Expr:
        operands = [node.left, *node.comparators]
        links = [
            self._compare(left, _OPERATORS[type(operator)], right)
            for left, operator, right in zip(operands, node.ops, operands[1:], strict=False)
            if type(operator) in _OPERATORS or self._refuse(node)
        ]
        return links[0] if len(links) == 1 else pl.all_horizontal(links)

    def _compare(self, left: ast.expr, operator: str, right: ast.expr) -> pl.Expr:
        if isinstance(left, ast.Name) and self._is_literal(right):
            return compare(self._columns, self._name(left), operator, self._as_set(operator, right))
        if isinstance(right, ast.Name) and self._is_literal(left) and operator in _MIRRORED:
            return compare(self._columns, self._name(right), _MIRRORED[operator], ast.literal_eval(left))
        return apply_comparison(operator, self._value(left), self._value(right))

    def _as_set(self, operator: str, node: ast.expr) -> Any:
        value = ast.literal_eval(node)
        if operator in {"==", "!="} and isinstance(value, (list, tuple)):
            self._refuse(node)
        if operator in {"IN", "NOT_IN"} and not isinstance(value, (list, tuple, set)):
            self._refuse(node)
        return value

    def _value(self, node: ast.expr) -> Any:  # noqa: PLR0911  (as above)
        """Read a node that is a number, a text or a column, or arithmetic on these."""
        if self._is_literal(node) and not isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return pl.lit(ast.literal_eval(node))
        match node:
            case ast.Name():
                return self._columns.expr(self._name(node))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._value(operand)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return (self._value(left) + self._value(right)).fill_nan(None)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return (self._value(left) - self._value(right)).fill_nan(None)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return (self._value(left) * self._value(right)).fill_nan(None)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return (self._value(left) / self._value(right)).fill_nan(None)
        raise self._unsupported(node)

    def _null_check(self, node: ast.Call) -> pl.Expr:
        method = node.func
        if not isinstance(method, ast.Attribute) or not isinstance(method.value, ast.Name):
            raise self._unsupported(node)
        if method.attr not in _NULL_CHECKS or node.args or node.keywords:
            raise self._unsupported(node)
        column = self._columns.expr(self._name(method.value))
        return column.is_null() if _NULL_CHECKS[method.attr] else column.is_not_null()

    def _flag(self, node: ast.Name) -> pl.Expr:
        name = self._name(node)
        if self._columns.dtype(name) != pl.Boolean:
            raise self._unsupported(node)
        return self._columns.expr(name).fill_null(value=False)

    def _name(self, node: ast.Name) -> str:
        name = self._quoted.get(node.id, node.id)
        if name not in self._columns:
            known = ", ".join(repr(column) for column in self._columns.names)
            raise RowConditionError(
                f"row_condition {self._text!r}: no column {name!r}. The frame has {known}."
            )
        return name

    @staticmethod
    def _is_literal(node: ast.expr) -> bool:
        try:
            ast.literal_eval(node)
        except ValueError:
            return False
        return True

    def _refuse(self, node: ast.AST) -> bool:
        raise self._unsupported(node)

    def _unsupported(self, node: ast.AST) -> RowConditionError:
        part = ast.unparse(node)
        return RowConditionError(
            f"row_condition {self._text!r}: {part!r} is not supported. Supported are {_SUPPORTED}."
        )
