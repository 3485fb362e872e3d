"""When a part is ready, as small strategies: each is one short probe, however often it is asked.

HttpReady("127.0.0.1", part.port, "/healthz").is_ready()
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from zep_conformance.errors import DatabaseRefused

PROBE_LIMIT = 1.0
"""Seconds that one probe may take."""


class Readiness(Protocol):
    """Says whether something is ready."""

    def is_ready(self) -> bool:
        """Return whether it is, now. Raises CannotTell where it never will be."""


@dataclass(frozen=True)
class HttpReady:
    """Ready when GET `path` is answered with 200; with anything at all where that is enough. limit: seconds."""

    host: str
    port: int
    path: str
    any_answer: bool = False
    limit: float = PROBE_LIMIT

    def is_ready(self) -> bool:
        """Return whether it is answered so."""
        request = f"GET {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nConnection: close\r\n\r\n"
        try:
            with socket.create_connection((self.host, self.port), timeout=self.limit) as connection:
                connection.sendall(request.encode())
                if self.any_answer:
                    return bool(connection.recv(1))
                return connection.makefile("rb").readline().split()[1:2] == [b"200"]
        except OSError:
            return False


@dataclass(frozen=True)
class DatabaseReady:
    """Ready when a PostgreSQL takes connections. Makes the wanted databases that it lacks, with pgvector in them."""

    dsn: str = field(repr=False)
    databases: tuple[str, ...] = ()

    def is_ready(self) -> bool:
        """Return whether it does. Raises DatabaseRefused where a database can't be made."""
        import psycopg

        try:
            # Each statement by itself: a database can't be made inside a transaction.
            connection = psycopg.connect(self.dsn, autocommit=True, connect_timeout=2)
        except psycopg.OperationalError:
            return False
        with connection:
            for name in self.databases:
                _make_database(connection, self.dsn, name)
        return True


def _make_database(connection: Any, dsn: str, name: str) -> None:
    """Make a database with pgvector, unless it is there. Raises DatabaseRefused with PostgreSQL's words."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    try:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
            with psycopg.connect(dsn, dbname=name, autocommit=True) as inside:
                inside.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.Error as error:
        raise DatabaseRefused(f"can't make the database {name}: {str(error).strip()}") from None


def drop_databases(dsn: str, names: Iterable[str]) -> None:
    """Remove databases, whoever is connected to them. Raises DatabaseRefused with PostgreSQL's words."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
            for name in names:
                connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
    except psycopg.Error as error:
        raise DatabaseRefused(f"can't remove the databases {', '.join(names)}: {str(error).strip()}") from None
