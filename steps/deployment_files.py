"""Steps of deployment_files.feature: what the files would make, as far as reading them tells."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers

from fixtures.deployment_files import ExaminedFiles, FindingsOfKind
from fixtures.words import given, then
from zep_conformance.deployment_files.sources import KINDS

ASPECTS = {
    # By images and variables, whatever the applications are called.
    "it creates zep, zep-nlp and zep-postgres": "applications",
    # Neither :latest, which moves, nor a branch, nor zepai/zep, which is Zep 1.x.
    "what it runs is a Zep 0.x of a version that is said, and a database with pgvector": "image",
    # Its OpenAI key, under the name that it looks at; secrets of Fly.io can't be seen.
    "zep is told all that it does not start without": "settings",
    # By names and ports that there are, and in a network that they share.
    "zep is told where to find the others, and reaches them there": "wiring",
    # What is opened leads to the port that Zep listens on.
    "zep's port can be reached from outside": "port",
    # At /healthz, with what its image has.
    "a health check asks zep whether it works": "health",
    # Neither key nor password, nor a secret that is demanded and missing.
    "no secret stands in it in clear": "secrets",
    # Neither the database nor the NLP server, nor Zep's web page where tokens are demanded.
    "nobody but zep can be reached from outside": "exposure",
    # On a volume, in a plan that does not end.
    "what zep-postgres holds is kept": "store",
}
"""The aspect of the findings that each promise is about."""


@given(parsers.re(rf"the (?P<called>{'|'.join(KINDS.values())}) of a deployment"), target_fixture="examined")
def are_examined(found_in_files: FindingsOfKind, called: str) -> ExaminedFiles:
    """Return the files of a kind, examined. Skips where there are none among the files that were given."""
    findings = found_in_files(next(kind for kind, name in KINDS.items() if name == called))
    if findings is None:
        pytest.skip(f"no capability files: no {called} among the --deployment-files")
    return ExaminedFiles(called, findings)


@then(parsers.re(rf"(?P<promise>{'|'.join(ASPECTS)})"))
def is_well(examined: ExaminedFiles, promise: str) -> None:
    """Check that the aspect that a promise is about has no fault. Skips where its application is made elsewhere."""
    examined.must_be_well(ASPECTS[promise])
