"""Which program each application runs: a Zep 0.x that does not change by itself, and a database with pgvector."""

from __future__ import annotations

import re

from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.model import Application, Image, PlannedDeployment
from zep_conformance.facts.servers import OLDEST_ZEP

_ZEP_1 = re.compile(r"(^|/)zepai/|(^|/)zep-ce$", re.IGNORECASE)
"""The images of Zep 1.x: those of zepai on Docker Hub, under whatever mirror. Those on ghcr.io stopped at 0.27.2."""
_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+.][\w.+-]*)?")
_MOVING = re.compile(r"|latest|main|master|edge|nightly|stable|dev|beta|\d+", re.IGNORECASE)
_WITH_PGVECTOR = re.compile(
    r"vector|getzep/postgres|supabase/postgres|timescaledb-ha|bitnami/postgresql", re.IGNORECASE
)
_WITHOUT_PGVECTOR = ("postgres", "postgres-flex")


def check(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """Look at the images of all three."""
    for application in deployment.having("zep"):
        _zep(application, ledger)
    for application in [*deployment.having("nlp"), *deployment.having("postgres")]:
        _companion(application, ledger)
    for application in deployment.having("postgres"):
        _pgvector(application, ledger)


def version_of(image: Image) -> tuple[int, int, int] | None:
    """Return the version that an image's tag says, None where it says none. 0.27 counts as 0.27.0."""
    found = _VERSION.fullmatch(image.tag)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def is_zep_1(application: Application) -> bool:
    """Tell whether it runs a Zep 1.x: nothing of what a 0.x needs is to be asked of it."""
    image = application.image
    if image is None or application.role != "zep":
        return False
    version = version_of(image)
    return bool(_ZEP_1.search(image.path)) or (version is not None and version[0] >= 1)


def shown(image: Image) -> str:
    """Return an image as it is shown."""
    return image.path + (f":{image.tag}" if image.tag else "") + (f"@{image.digest[:19]}…" if image.digest else "")


def _zep(application: Application, ledger: Ledger) -> None:
    image, place = application.image, application.image_place
    if image is None:
        _built(application, ledger)
        return
    version = version_of(image)
    number = ".".join(map(str, version)) if version else ""
    if is_zep_1(application):
        is_said = version is not None and version[0] >= 1
        ledger.report("image-zep-1", place, image=shown(image), version=number if is_said else "1.x")
        return
    if _MOVING.fullmatch(image.tag) and not image.digest:
        ledger.report("image-unpinned", place, image=shown(image))
    elif version is None:
        ledger.report("image-version-untold", place, image=shown(image))
    elif version < OLDEST_ZEP:
        ledger.report("image-too-old", place, image=shown(image), version=number)
    if image.name == "zep" and application.config is None:
        ledger.report("image-lacks-config", place, image=shown(image))
    ledger.well("image", place, f"{application.name}: {shown(image)}")


def _built(application: Application, ledger: Ledger) -> None:
    source, place = application.built_from, application.image_place
    if is_remote(source):
        repository, _, fragment = source.partition("#")
        branch = application.branch or fragment.partition(":")[0]
        if not (_VERSION.fullmatch(branch) or re.fullmatch(r"[0-9a-f]{7,40}", branch)):
            branch = branch or "the default one"
            ledger.report("image-from-branch", place, application, repository=repository, branch=branch)
    else:
        context = "the folder beside it" if source in ("", "here", ".", "./") else source
        ledger.report("image-built-here", place, application, context=context)
    ledger.well("image", place, f"{application.name} is built")


def is_remote(context: str) -> bool:
    """Tell whether what something is built from is a repository elsewhere."""
    return re.match(r"https?://|git@|ssh://|git://|github\.com/", context) is not None


def _companion(application: Application, ledger: Ledger) -> None:
    image = application.image
    if image is not None and not image.digest and _MOVING.fullmatch(image.tag) and not re.search(r"\d", image.tag):
        ledger.report("companion-unpinned", application.image_place, image=shown(image))


def _pgvector(application: Application, ledger: Ledger) -> None:
    image = application.image
    if image is not None and not application.managed and not _WITH_PGVECTOR.search(image.path):
        code = "image-lacks-pgvector" if image.name in _WITHOUT_PGVECTOR else "image-pgvector-untold"
        ledger.report(code, application.image_place, image=shown(image))


def is_cloud(application: Application) -> bool:
    """Tell whether it runs the image of Zep that knows ZEP_NLP_SERVER_HOSTPORT, or one that can't be told from it."""
    return application.image is None or application.image.name != "zep"
