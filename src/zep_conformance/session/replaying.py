"""Replaying a run: its scenarios are carried out once more on the exchanges that it recorded, without any server.

    recorded = read_run(path)                       # conformance.json, and what is beside it
    replayed = replay(recorded, ["-k", "clears"])   # pytest's own options choose scenarios
    for one in replayed.judged: …

Each process of a run has a recording of its own, since it had clients, chatbots and perhaps parts of its own. Whatever
would reach for a server, start a program or stop a part ends its scenario: that can't be told.
"""

from __future__ import annotations

import contextlib
import gc
import io
import shlex
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import faker  # noqa: F401  (pytest would rewrite the asserts in all of its modules, since it comes with a plugin)
import httpx
import pytest

from zep_conformance import suite
from zep_conformance.clients import clock
from zep_conformance.clients.recorded import (
    LEFT_OUT,
    MORE_OFTEN,
    SECRETS,
    SOMETHING_ELSE,
    NotRecorded,
    Player,
    RecordedAnswer,
)
from zep_conformance.clients.tokens import make_secret, make_token
from zep_conformance.doctor.findings import Finding
from zep_conformance.errors import CannotTell
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.report.exchanges import LONGEST
from zep_conformance.report.folder import RunFolder
from zep_conformance.report.outcomes import Record
from zep_conformance.session import shares
from zep_conformance.session.drawn import Drawn
from zep_conformance.session.plugin import Conformance
from zep_conformance.session.recorded import RecordedProcess, RecordedRun
from zep_conformance.session.replayed import Judged, Replayed
from zep_conformance.session.run import RUN, Run
from zep_conformance.session.scenarios import place
from zep_conformance.settings import Settings, option
from zep_conformance.targets import Control, Deployment, Target
from zep_conformance.targets.base import Say

CONTROL = "its steps start parts of another version, or ones that do not come up"
AT_ONCE = "its steps stop, start or cut off parts while somebody asks, and which came first is not recorded"
DOCTOR = "its steps ask the doctor, who asks by connections of his own"
CONNECTS = "its steps ask past the clients whose exchanges are recorded"
STARTS = "its steps start programs, such as a browser"
GONE = "there is no such scenario any more"
ASKED = (SOMETHING_ELSE, MORE_OFTEN, LEFT_OUT)
LAST_WORDS = 3
"""Lines of what pytest says where it broke."""
TOO_MANY = "it had more exchanges than a recording keeps of a scenario"
REPEATED = "it was carried out twice, since Zep was frozen"
ENOUGH = 20
"""Scenarios for which a process is worth its while."""
IMPORTING = ("features/sequences.feature", "features/deployment_files.feature")
"""The features whose scenarios import what no others need (Hypothesis is one of them): one process that does so is
enough."""
_PARTS = ("zep", "secured", "langflux")
_UNUSED = ("xdist", "cacheprovider", "logging", "warnings", "unraisableexception", "threadexception", "faulthandler")
"""Plugins whose work nobody would see."""
_Share = tuple[dict[str, Record], dict[str, list[tuple[str, str]]], dict[str, str], str | bool]
"""What is known of the scenarios that a process has carried out: see `_Judge`; and why it went no further."""
_GUARDED = {"socket.connect": CONNECTS, "socket.getaddrinfo": CONNECTS, "subprocess.Popen": STARTS}


class _Control(Control):
    """Control over parts that are not there: what was done to them then is in what they answered, or did not."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise self._player.missed(CONTROL)

    def _done(self, *_: Any, **__: Any) -> None:
        self._player.is_disturbed = True

    start_as = attempt = _refuse
    start = stop = kill = pause = resume = cut_off = reconnect = _done


class _RecordedParts(Target):
    """The parts of a run, as far as its recording has them."""

    name = "recorded"

    def __init__(self, settings: Settings, found: Deployment, player: Player) -> None:
        super().__init__(settings)
        self._found, self._player = found, player

    @property
    def title(self) -> str:
        """The target of the run."""
        return self._found.target

    @property
    def control(self) -> Control | None:
        """What says that it has none, where the run had some."""
        return None if "control" in self._found.missing else _Control(self._player)

    def start(self) -> None:
        """There is nothing to start."""

    def deployment(self, say: Say) -> Deployment:  # noqa: ARG002  (nothing takes time)
        """Return what the run tested."""
        return self._found

    def diagnose(self, part: str) -> list[Finding]:  # noqa: ARG002
        """Say that the doctor has nobody to ask."""
        raise self._player.missed(DOCTOR)


class _Nowhere(RunFolder):
    """No folder at all: whatever is done with it, nothing is written, and no run that is kept is touched."""

    def hold(self) -> None:
        """Make none."""

    def publish(self, *, is_whole: bool) -> bool:  # noqa: ARG002
        """Publish nothing."""
        return False

    def close(self, *, keep: int) -> None:
        """Let none go."""


class _Replay(Run):
    """A run whose parts are a recording."""

    player: Player
    process: RecordedProcess

    @property
    def removes(self) -> bool:
        """Whether there is something to remove: it was removed then."""
        return False

    def choose(self, environment: Mapping[str, str], chosen: str | None = None) -> None:
        """Leave the target as it is: the recording."""

    def ready(self, say: Callable[[str], None]) -> None:
        """Take what the run tested for the deployment."""
        if self._deployment is None and self.target is not None:
            found = self.target.deployment(say)
            self._use(found)
            self._deployment = found  # what was missing then is known

    @property
    def hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """What is asked and answered goes into the transcript, with the seconds that it took then."""
        kept = self.transcript
        return {"request": [], "response": [self._timed, kept.answered], "failure": [kept.failed]}

    @staticmethod
    def _timed(response: httpx.Response) -> None:
        found: RecordedAnswer = response.extensions["recorded"]
        if "event-stream" not in response.headers.get("content-type", ""):
            response.read()
        response.elapsed = timedelta(seconds=found.seconds)

    def stop(self) -> None:
        """Close every client."""
        self.freezes.close()
        self.closing.close()

    @property
    def shares_zep(self) -> bool:
        """Whether others used the Zep of the run, so that what was written at once came in smaller requests."""
        return self.process.shares_zep


class _Judge(Conformance):
    """The hooks of a replay: as those of a run, but nothing is written, and each scenario begins its recording."""

    def __init__(self, config: pytest.Config, run: _Replay, process: RecordedProcess) -> None:
        super().__init__(config, run)
        self.replay, self.process = run, process
        self.missing: dict[str, list[NotRecorded]] = {}
        self.doubts: dict[str, str] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the scenarios that this process of the run carried out."""
        super().pytest_collection_modifyitems(items)
        left_out = [item for item in items if item.nodeid not in self.process.drawn]
        items[:] = [item for item in items if item.nodeid in self.process.drawn]
        self.config.hook.pytest_deselected(items=left_out)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Carry the scenarios out in a few processes, where there are enough of them: none needs what another did."""
        count = min(shares.possible(), len(session.items) // ENOUGH)
        if count < 2 or session.config.option.collectonly:
            return None

        def carried_out(items: Iterator[pytest.Item]) -> _Share:
            item = next(items, None)
            while item is not None and not session.shouldstop:
                following = next(items, None)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                item = following
            missing = {nodeid: [(one.why, one.what) for one in found] for nodeid, found in self.missing.items()}
            return self.records, missing, self.doubts, session.shouldstop

        together = [item for item in session.items if place(item)[0] in IMPORTING]
        others = [item for item in session.items if item not in together]
        ending: str | bool = False
        for records, missing, doubts, stopped in shares.in_shares(count, others, carried_out, together):
            self.records |= records
            self.missing |= {nodeid: [NotRecorded(*one) for one in found] for nodeid, found in missing.items()}
            self.doubts |= doubts
            ending = ending or stopped
        self.records = {item.nodeid: self.records[item.nodeid] for item in session.items if item.nodeid in self.records}
        if ending:
            raise session.Interrupted(ending)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin a scenario, and its recording."""
        self.replay.player.begin(self.process.exchanges.get(item.nodeid, ()))
        super().pytest_runtest_setup(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Go by the time of the recording, and reach for nothing else."""
        player = self.replay.player
        with clock.running(player.clock), GUARD.over(player):
            return (yield from super().pytest_runtest_protocol(item, nextitem))

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note what the recording did not have."""
        self.missing[nodeid] = [one for one in self.replay.player.missing if not one.is_excused]
        if why := self._doubt(self.replay.player):
            self.doubts[nodeid] = why

    @staticmethod
    def _doubt(player: Player) -> str:
        """Return why the recording of a scenario can't show that it comes out otherwise now; "" where it can."""
        if player.has_secrets:
            return SECRETS
        return AT_ONCE if player.is_disturbed and player.is_at_once else ""

    def judged(self, recorded: RecordedRun) -> Iterator[Judged]:
        """Yield what came of each scenario that was carried out."""
        for nodeid, record in self.records.items():
            then = recorded.scenarios.get(nodeid)
            if then is None:
                continue
            why, what = self._untold(record, then)
            now = None if why else record
            fails = now is not None and self.gate.fails(now)
            clean = None if now is None else self._clean(now)
            yield Judged(
                nodeid=nodeid, name=record.name, then=then["outcome"], now=clean, why=why, what=what, fails=fails
            )

    def _clean(self, record: Record) -> Record:
        """Return a record without secrets: of what passed nothing but its name is shown."""
        if record.evidence is None:
            return record
        return Record.from_json(self.run.redactor.everywhere(record.as_json()))

    def _untold(self, record: Record, then: Mapping[str, Any]) -> tuple[str, str]:
        """Return why a scenario can't be judged, and more of that; "" where it can."""
        missing = self.missing.get(record.nodeid, [])
        if missing:
            # What a scenario does beside asking explains what it asks for meanwhile.
            first = min(missing, key=lambda one: one.why in ASKED)
            if first.why in ASKED and (left_out := self.process.left_out.get(record.nodeid)):
                return TOO_MANY, f"{left_out} are left out"
            return first.why, first.what
        if then.get("repeated"):
            return REPEATED, ""
        if record.outcome != then["outcome"]:
            return self.doubts.get(record.nodeid, ""), ""
        return "", ""

    def _conclude(self, session: pytest.Session, exitstatus: int) -> None:
        """Write nothing: the reports are the run's."""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say nothing: who replays does."""


class _Guard:
    """Lets nothing reach for a server, or start a program, while a replay goes on: an audit hook, which stays."""

    def __init__(self) -> None:
        self.player: Player | None = None
        self._is_set = False

    @contextlib.contextmanager
    def over(self, player: Player) -> Iterator[None]:
        """Guard inside the block."""
        if not self._is_set:
            sys.addaudithook(self._saw)
            self._is_set = True
        self.player = player
        try:
            yield
        finally:
            self.player = None

    def _saw(self, event: str, _: Any) -> None:
        if self.player is not None and event in _GUARDED:
            raise self.player.missed(_GUARDED[event])


GUARD = _Guard()


class _Start:
    """Makes pytest's session a replay of one process of a run."""

    def __init__(self, process: RecordedProcess, settings: Settings) -> None:
        self.process, self._settings = process, settings
        self.judge: _Judge | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
        """Take the place of the plugin of runs."""
        from zep_conformance.session.plugin import REPLAY

        early_config.stash[REPLAY] = self._begin

    def _begin(self, config: pytest.Config) -> object:
        run = _Replay.of(self._settings)
        run.process, run.folder = self.process, _Nowhere(Path(), "")
        run.seed, run.prefix, run.started = self.process.seed, self.process.prefix, self.process.started
        run.drawn = Drawn(self.process.drawn)
        run.player = run.transport = Player(run.redactor, self.process.everything(), longest=LONGEST["body"])
        run.target = _RecordedParts(self._settings, _with_stand_ins(self.process.deployment), run.player)
        config.stash[RUN] = run
        self.judge = _Judge(config, run, self.process)
        return self.judge


def replay(recorded: RecordedRun, options: Mapping[str, Any], arguments: Sequence[str]) -> Replayed:
    """Carry the scenarios of a run out on its recording. Nothing is asked of any server, and nothing is written.

    options: settings by name, of `settings.RULES`. arguments: pytest's own, which choose scenarios. Raises CannotTell
    where the scenarios can't be carried out at all.
    """
    judged: dict[str, Judged] = {}
    known: set[str] = set()
    for process in recorded.processes:
        start, said = _Start(process, process.settings(options)), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = _run(start, arguments)
        if start.judge is None or code not in (0, 1, pytest.ExitCode.NO_TESTS_COLLECTED):
            last = [line for line in said.getvalue().strip().splitlines() if line.strip()][-LAST_WORDS:]
            what = "\n".join(["the scenarios can't be carried out:", *last])
            raise CannotTell(what, "`pytest features --collect-only` says more of it.", code="replay-broken")
        judged |= {one.nodeid: one for one in start.judge.judged(recorded)}
        known |= set(start.judge.run.scenarios)
    if not arguments:
        gone = (one for nodeid, one in recorded.scenarios.items() if nodeid not in known and nodeid not in judged)
        for one in gone:
            judged[one["nodeid"]] = Judged(nodeid=one["nodeid"], name=one["name"], then=one["outcome"], why=GONE)
    words = ["zep-conformance", "replay", str(recorded.path)]
    for name, value in options.items():
        words += [option(name)] if value is True else [option(name), str(value)]
    return Replayed(
        judged=list(judged.values()),
        again=shlex.join(words),
        requirements=load_requirements(),
        new=0 if arguments else len(known - set(recorded.scenarios)),
    )


def _run(start: _Start, arguments: Sequence[str]) -> int:
    root = suite.root()
    fixed = [
        f"--rootdir={root}",
        f"-c{root / 'pyproject.toml'}",
        "--tb=native",
        "--capture=no",
        *(word for name in _UNUSED for word in ("-p", f"no:{name}")),
    ]
    words = [str(root / word) if (root / word.partition("::")[0]).is_file() else word for word in arguments]
    features = [] if words != list(arguments) else [str(root / "features")]
    try:
        return int(pytest.main([*fixed, *words, *features], plugins=[start]))
    finally:
        gc.enable()


def _with_stand_ins(deployment: Mapping[str, Any]) -> Deployment:
    """Return the deployment of a run, with secrets made up in place of those that its reports have not."""
    secret = make_secret()
    token, key = make_token(secret), make_secret()
    kept: dict[str, Any] = {**deployment}
    if kept.get("secret"):
        kept["secret"] = secret
    for name in _PARTS:
        if part := kept.get(name):
            part = {**part}
            if part.get("token"):
                part["token"] = token
            if part.get("api_key"):
                part["api_key"] = key
            if part.get("account"):
                part["account"] = {**part["account"], "password": key}
            kept[name] = part
    return Deployment.from_json(kept)
