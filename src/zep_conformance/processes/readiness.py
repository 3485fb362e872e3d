"""Whether a program is ready: one short look, however it goes."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

from zep_conformance.errors import DatabaseRefused

LOOK_LIMIT = 1.0
"""Seconds that one look may take."""


def http(host: str, port: int, path: str) -> bool:
    """Whether GET `path` is answered with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, port), timeout=LOOK_LIMIT) as connection:
            connection.sendall(request.encode())
            status = connection.makefile("rb").readline().split()
    except OSError:
        return False
    return status[1:2] == [b"200"]


def database(dsn: str, wanted: Iterable[str]) -> bool:
    """Whether a PostgreSQL takes connections. Makes the wanted databases that it lacks, with pgvector in them.

    Raises DatabaseRefused where that can't be done.
    """
    import psycopg

    try:
        # Each statement by itself: a database can't be made inside a transaction.
        connection = psycopg.connect(dsn, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        return False
    with connection:
        for name in wanted:
            make_database(connection, dsn, name)
    return True


def make_database(connection: Any, dsn: str, name: str) -> None:
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
