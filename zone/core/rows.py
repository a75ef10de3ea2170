"""Reads that a page of a rush repeats thousands of times: one prepared statement, no ORM in it.

Building a query with the ORM costs more than answering it. Here the text is written once, the
server plans it once a connection, and rows still become models, through their own fields.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.utils import CursorWrapper

M = TypeVar("M", bound=models.Model)

# After so many repeats a statement would be prepared by itself.
_ONLY_WHEN_ASKED = 2**31


class _PreparedCursor(psycopg.Cursor[Any]):
    """Values travel beside the text, and the text is sent to the server once a connection."""

    is_prepared = True

    def execute(self, query: Any, params: Any = None, **_: Any) -> "_PreparedCursor":
        super().execute(query, params, prepare=self.is_prepared)
        return self


def fetch_row(statement: str, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    """The first row of a prepared statement, or None. Counted and logged as any other query.

    Give every parameter its type in the text (`%s::bigint`): the server plans before it sees one.
    """
    rows = fetch_rows(statement, parameters)
    return rows[0] if rows else None


def fetch_rows(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Every row of a prepared statement, as `fetch_row` reads the first."""
    database = connections[DEFAULT_DB_ALIAS]  # Once: each look through the proxy costs.
    database.ensure_connection()
    server = database.connection
    if server.prepare_threshold is None:  # Django's way of saying: never prepare anything.
        server.prepare_threshold = _ONLY_WHEN_ASKED
    with database.wrap_database_errors:
        raw: Any = _PreparedCursor(server)
    # A statement that was prepared has no text any more that a log could show.
    raw.is_prepared = not (is_logged := database.queries_logged)
    wrapper: CursorWrapper = (
        database.make_debug_cursor(raw) if is_logged else database.make_cursor(raw)
    )
    with wrapper as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def array(words: Iterable[str]) -> str:
    """A parameter of an array type as PostgreSQL writes one, for numbers and ids of our own making.

    Nothing in them is escaped. The driver's own way costs as much as the statement it is for.
    """
    return "{" + ",".join(words) + "}"


def bytes_array(values: Iterable[bytes]) -> str:
    """The same for `bytea[]`."""
    return array(rf'"\\x{value.hex()}"' for value in values)


class RowReader(Generic[M]):
    """The columns of a model as a statement lists them, and the model those columns make.

    Of all fields, or of those named; the others are then read when somebody asks for them.
    """

    def __init__(self, model: type[M], *only: str) -> None:
        self.model = model
        fields = [f for f in model._meta.concrete_fields if not only or f.attname in only]
        self.names = [field.attname for field in fields]
        self.width = len(fields)
        self._columns = [str(field.column) for field in fields]
        self._expressions = {
            place: field for place, field in enumerate(fields) if hasattr(field, "from_db_value")
        }

    def columns(self, table: str) -> str:
        """Its columns of `table`, an alias or a parenthesised row, in the model's order."""
        return ", ".join(f'{table}."{column}"' for column in self._columns)

    def build(self, values: Sequence[Any]) -> M:
        """The model of these values, as the ORM would have read it."""
        kept = list(values)
        for place, field in self._expressions.items():
            kept[place] = field.from_db_value(kept[place], field.cached_col, connection)
        return self.model.from_db(connection.alias, self.names, kept)
