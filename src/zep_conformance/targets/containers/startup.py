"""Brings everything up at once, in the order that the parts need, and takes it down."""

from __future__ import annotations

import queue
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass, field
from typing import TypeVar

from filelock import BaseFileLock, Timeout

from zep_conformance.errors import CannotTell
from zep_conformance.report.observations import Timeline
from zep_conformance.settings import Settings
from zep_conformance.targets.base import Say
from zep_conformance.targets.containers import kept
from zep_conformance.targets.containers.images import DEFAULTS, named, needed, obtain, other_image
from zep_conformance.targets.containers.parts import Cancelled, CreationGate, Parts
from zep_conformance.targets.containers.plan import DATABASES, Secrets, Spec, fingerprint, kind_of, plan
from zep_conformance.targets.docker.engine import DockerEngine, answering, connect, without_ryuk
from zep_conformance.targets.docker.images import PinnedImage
from zep_conformance.targets.docker.ownership import KEPT, OWNER, RUN, Owner, remove_leftovers, remove_run

T = TypeVar("T")

SWEEP_LIMIT = 1.0
"""Seconds in which another run that only looks whether something is left is done with the lock."""
REUSE_LIMIT = 5.0
"""Seconds for a kept part to answer."""


@dataclass(frozen=True)
class Up:
    """What has come up. pinned: the exact image of each part. upgrades: that of the version to upgrade to."""

    parts: Parts
    pinned: Mapping[str, PinnedImage]
    secrets: Secrets
    upgrades: Mapping[str, PinnedImage] = field(default_factory=dict)


def in_background(work: Callable[..., T], *arguments: object) -> Future[T]:
    """Do the work in a thread that holds up nobody's end."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work(*arguments))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


class Startup:
    """One set of containers coming up. `end` may be called at any time, once."""

    def __init__(self, settings: Settings, timeline: Timeline) -> None:
        self._settings, self._timeline = settings, timeline
        self._run = secrets.token_hex(4)
        self._me = Owner.here()
        self._gate = CreationGate()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._engine: DockerEngine | None = None
        self._lock: BaseFileLock | None = None
        self._future: Future[Up] | None = None

    def begin(self) -> None:
        """Begin, and return at once."""
        self._future = in_background(self._bring_up)
        self._future.add_done_callback(lambda _: self._lines.put(None))

    def wait(self, say: Say) -> Up:
        """Tell how it goes until everything is up. Raises CannotTell when something is not."""
        assert self._future is not None
        for line in iter(self._lines.get, None):
            say(line)
        with answering():
            return self._future.result()

    def end(self) -> None:
        """Remove everything again, unless it is kept. What can't be removed is said."""
        self._gate.close()
        up = self._future is not None and self._future.done() and self._future.exception() is None
        if self._engine is not None:
            left = [] if up and self._lock is not None else remove_run(self._engine, self._run)
            if left:
                sys.stderr.write("".join(f"could not be removed: {one}\n" for one in left))
            self._engine.client.close()
        if self._lock is not None:
            self._lock.release()

    def _say(self, line: str) -> None:
        self._lines.put(line)

    def _bring_up(self) -> Up:
        settings = self._settings
        engine = self._engine = connect()
        without_ryuk(kept=settings.keep)
        sweeping = in_background(self._sweep, engine)
        if settings.keep or settings.fresh:
            sweeping.result()
            self._lock_kept(engine)
        names = {part: named(settings, part) for part in DEFAULTS}
        others = {part: image for part in ("zep", "langflux") if (image := other_image(settings, part))}
        upgrades = {part: in_background(self._obtain, engine, part, image) for part, image in others.items()}
        images = {part: in_background(self._obtain, engine, part, names[part]) for part in needed(settings)}
        if self._lock is not None:
            again = self._again(engine, names, {part: one.result() for part, one in images.items()})
            if again is not None:
                return again
        shared = Secrets.drawn()
        labels = {RUN: self._run, OWNER: self._me.label()}
        if self._lock is not None:
            labels[KEPT] = fingerprint(settings, {part: one.result().id for part, one in images.items()})
        parts = Parts(
            engine, run=self._run, labels=labels, specs={spec.part: spec for spec in plan(settings, names, shared)}
        )
        parts.gate = self._gate
        parts.create_network()
        ready: dict[str, Future[None]] = {}
        for part in parts.specs:  # PostgreSQL is the first of them
            ready[part] = in_background(
                self._bring, parts, part, images[kind_of(part)], ready.get("postgres"), images.get("model")
            )
        done, _ = wait(ready.values(), return_when=FIRST_EXCEPTION)
        problems = [error for one in done if (error := one.exception()) is not None]
        if problems:
            raise next((error for error in problems if not isinstance(error, Cancelled)), problems[0])
        sweeping.result()
        return Up(
            parts=parts,
            pinned={part: images[kind_of(part)].result() for part in parts.specs},
            secrets=shared,
            upgrades={part: one.result() for part, one in upgrades.items()},
        )

    def _obtain(self, engine: DockerEngine, part: str, name: str) -> PinnedImage:
        with self._timeline.phase(part, "pull"):
            return obtain(engine, part, name, self._say)

    def _bring(
        self,
        parts: Parts,
        part: str,
        image: Future[PinnedImage],
        postgres: Future[None] | None,
        model: Future[PinnedImage] | None = None,
    ) -> None:
        image.result()
        if parts.specs[part].kept and model is not None:
            model.result()  # our own image opens the folder for it
        if part in DATABASES and postgres is not None:
            postgres.result()  # Zep ends where it finds no database
        began = time.monotonic()
        parts.create(part, timeline=self._timeline)
        with self._timeline.phase(part, "ready"):
            parts.await_ready(part)
            if part == "postgres":
                parts.create_databases()
        self._say(f"{part}: ready in {time.monotonic() - began:.1f} s")

    def _sweep(self, engine: DockerEngine) -> None:
        removed = remove_leftovers(engine, lambda run: self._is_spared(engine, run))
        if removed:
            self._say(f"removed what {len(removed)} killed run{'s' * (len(removed) > 1)} had left")

    def _is_spared(self, engine: DockerEngine, run: str) -> bool:
        """Whether somebody may still use a kept set: whole ones, those of others, those that are in use."""
        try:
            with kept.lock().acquire(timeout=0):
                mine = any(one.run == run for one in kept.kept_sets(engine, self._me))
                return not mine or not kept.is_broken(engine, run)
        except Timeout:
            return True

    def _lock_kept(self, engine: DockerEngine) -> None:
        lock = kept.lock()
        try:
            lock.acquire(timeout=SWEEP_LIMIT)
        except Timeout:
            self._say("another run uses the kept containers: this one has its own, and removes them")
            return
        self._lock = lock
        if self._settings.fresh and kept.remove_all(engine, self._me):
            self._say("removed the kept containers")
        if not self._settings.keep:
            lock.release()
            self._lock = None

    def _again(self, engine: DockerEngine, names: Mapping[str, str], pinned: Mapping[str, PinnedImage]) -> Up | None:
        """Containers that an earlier run has kept, if they are just what this run wants and all well."""
        wanted = fingerprint(self._settings, {part: one.id for part, one in pinned.items()})
        specs: list[Spec] = plan(self._settings, names, Secrets(zep="", postgres=""))
        for one in kept.kept_sets(engine, self._me):
            if one.fingerprint != wanted:
                self._say("the kept containers are of another configuration: they are replaced")
            elif not one.is_whole(spec.part for spec in specs):
                self._say("the kept containers are not as they were left: they are replaced")
            else:
                shared = one.secrets()
                planned = one.published(plan(self._settings, names, shared))
                labels = {key: one.containers["model"].labels[key] for key in (RUN, OWNER, KEPT)}
                parts = Parts(engine, run=one.run, labels=labels, specs=planned)
                parts.gate = self._gate
                if self._all_answer(parts):
                    self._run = one.run
                    self._say("using the containers that were kept")
                    return Up(parts=parts, pinned={part: pinned[kind_of(part)] for part in planned}, secrets=shared)
                self._say("the kept containers do not answer: they are replaced")
            remove_run(engine, one.run)
        return None

    def _all_answer(self, parts: Parts) -> bool:
        ready = [in_background(parts.await_ready, part, REUSE_LIMIT) for part in parts.specs]
        wait(ready)
        return not any(isinstance(one.exception(), CannotTell) for one in ready)
