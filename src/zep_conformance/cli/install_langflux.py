"""The command `zep-conformance install-langflux`. Its folder goes to standard output, everything else beside it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from zep_conformance.facts.servers import PORTS
from zep_conformance.targets.processes import installation as langflux


@click.command()
@click.option("--version", default=langflux.DEFAULT, show_default=True, help="Which; --list says what there is.")
@click.option("--list", "listed", is_flag=True, help="List the versions that there is a lock for.")
def command(*, version: str, listed: bool) -> int:
    """Install the real LangFlux (Flowise) from npm, once, by a committed lock; print its folder.

    Into $ZEP_CONFORMANCE_CACHE, or zep-conformance in your cache folder. Says first how much it takes.
    """
    # When it is interrupted, npm is ended, and what it began removed.
    if listed:
        _list(Console(highlight=False, emoji=False, markup=False))
    else:
        _install(Console(stderr=True, highlight=False, emoji=False, markup=False), version)
    return 0


def _list(console: Console) -> None:
    for version in langflux.versions():
        folder = langflux.installed(version)
        lock = langflux.locked_version(version)
        state = f"installed in {_short(folder)}" if folder else f"not installed: {_price(lock)}"
        console.print(f"{version:8}{'(default) ' if version == langflux.DEFAULT else ''}{state}", soft_wrap=True)


def _install(console: Console, version: str) -> None:
    folder = langflux.installed(version)
    if folder is None:
        lock = langflux.locked_version(version)
        console.print(f"LangFlux {version} (Flowise from npm, by a committed lock) goes into", soft_wrap=True)
        console.print(f"  {_short(lock.folder)}", soft_wrap=True)
        console.print(f"  It takes {_price(lock)}.", soft_wrap=True)
        began = time.monotonic()
        with _shown(console) as on_progress:
            folder = langflux.install(version, on_progress)
        console.print(f"installed in {time.monotonic() - began:.0f} s")
    console.print("Started with all its state in the folder $STATE:", soft_wrap=True)
    words = [f"{name}={value}" for name, value in langflux.environment(Path("$STATE"), PORTS["langflux"]).items()]
    for word in [*words, *langflux.command(version, folder)[:-1]]:
        console.print(f"  {word} \\", soft_wrap=True)
    console.print("  start")
    print(folder)  # noqa: T201  (this is the command's output)


def _price(lock: langflux.LockedVersion) -> str:
    """Return what an installation costs: "2.4 GB, and up to 0.9 GB in npm's cache; 3 to 6 minutes"."""
    low, high = lock.minutes
    return f"{lock.disk:.1f} GB, and up to {lock.download:.1f} GB in npm's cache; {low} to {high} minutes"


def _short(folder: Path) -> str:
    """Return a path with ~ for the home folder."""
    home = str(Path.home())
    text = str(folder)
    return f"~{text.removeprefix(home)}" if text.startswith(f"{home}{os.sep}") else text


@contextmanager
def _shown(console: Console) -> Iterator[langflux.OnProgress]:
    """Yield a progress bar, or a line for each stage where there is no terminal."""
    bar = Progress(
        TextColumn("  {task.description:18}"),
        BarColumn(30),
        TextColumn("{task.fields[count]:>14}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, TaskID] = {}

    def on_progress(progress: langflux.Progress) -> None:
        if progress.stage not in tasks:
            if not console.is_terminal:
                console.print(f"  {progress.stage} …", soft_wrap=True)
            for task in tasks.values():
                bar.stop_task(task)
            tasks[progress.stage] = bar.add_task(progress.stage, total=progress.total or None, count="")
        count = f"{progress.done} of {progress.total}" if progress.total else ""
        bar.update(tasks[progress.stage], completed=progress.done, count=count)

    with bar:
        yield on_progress
