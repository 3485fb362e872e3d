"""Steps about deployment files: what they would make, as far as reading them tells."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pytest_bdd import given, parsers, then

from fixtures.files import Found
from zep_conformance.deployment_files.findings import FileFinding
from zep_conformance.deployment_files.report import with_line
from zep_conformance.deployment_files.sources import KINDS
from zep_conformance.errors import HarnessError


@dataclass(frozen=True)
class Examined:
    """The deployment files of one kind, looked at. called: the kind."""

    called: str
    findings: list[FileFinding]

    def must_be_well(self, aspect: str) -> None:
        """No fault of this aspect was found. Skipped where the application that it is about is made in another way.

        Raises HarnessError when it was not looked at at all.
        """
        found = [finding for finding in self.findings if finding.layer == aspect]
        wrong = [finding for finding in found if finding.verdict == "fault"]
        said = [f"{one.file}, {with_line(one)}\n  why: {one.cause}\n  to do: {one.advice}" for one in wrong]
        faults = len(said)
        assert faults == 0, "\n".join(said)
        if not found:
            absent = [one for one in self.findings if one.layer == "applications" and one.verdict != "ok"]
            missing = [one.symptom for one in absent if one.verdict == "fault"]
            assert not missing, "; ".join(missing)
            if absent:
                pytest.skip(f"no capability files: {'; '.join(one.symptom for one in absent)}")
            raise HarnessError(f"nobody looked at the {aspect} of the {self.called}")


@given(
    parsers.re(r"the (?P<called>Render blueprint|Fly\.io configuration|Compose project) of a deployment"),
    target_fixture="examined",
)
def are_examined(found_in_files: Found, called: str) -> Examined:
    """Read and looked at. Skipped where there is none of this kind among the files that were given."""
    findings = found_in_files(next(kind for kind, name in KINDS.items() if name == called))
    if findings is None:
        pytest.skip(f"no capability files: no {called} among the --deployment-files")
    return Examined(called, findings)


@then("it creates zep, zep-nlp and zep-postgres")
def creates_three(examined: Examined) -> None:
    """Under whatever names: they are told by their images, and by what they are told."""
    examined.must_be_well("applications")


@then("what it runs is a Zep 0.x of a version that is said, and a database with pgvector")
def runs_known_versions(examined: Examined) -> None:
    """Not :latest, which is Zep 1.x by now, nor a branch."""
    examined.must_be_well("image")


@then("zep is told all that it does not start without")
def is_told(examined: Examined) -> None:
    """Its OpenAI key, under the name that it looks at; secrets of Fly.io can't be seen."""
    examined.must_be_well("settings")


@then("zep is told where to find the others, and reaches them there")
def is_wired(examined: Examined) -> None:
    """By names and ports that there are, and in a network that they share."""
    examined.must_be_well("wiring")


@then("zep's port can be reached from outside")
def is_reached(examined: Examined) -> None:
    """What is opened leads to the port that Zep listens on."""
    examined.must_be_well("port")


@then("a health check asks zep whether it works")
def is_watched(examined: Examined) -> None:
    """At /healthz, with what its image has."""
    examined.must_be_well("health")


@then("no secret stands in it in clear")
def keeps_secrets(examined: Examined) -> None:
    """Neither key nor password, nor a secret that is demanded and missing."""
    examined.must_be_well("secrets")


@then("nobody but zep can be reached from outside")
def is_closed(examined: Examined) -> None:
    """Neither the database nor the NLP server, nor Zep's web page where tokens are demanded."""
    examined.must_be_well("exposure")


@then("what zep-postgres holds is kept")
def is_kept(examined: Examined) -> None:
    """On a volume, in a plan that does not end."""
    examined.must_be_well("store")
