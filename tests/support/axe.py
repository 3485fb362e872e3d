"""axe-core, which finds what keeps people from using a page: fetched once from npm, and kept outside the checkout."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "4.10.3"
CACHE = Path.home() / ".cache" / "zep-conformance" / f"axe-core-{VERSION}"
_MEMBER = "package/axe.min.js"


def script() -> str | None:
    """Return axe-core as a script; None where it is neither kept nor to be had."""
    kept = CACHE / "axe.min.js"
    if not kept.is_file():
        npm = shutil.which("npm")
        if npm is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            command = [npm, "pack", f"axe-core@{VERSION}", "--silent", "--pack-destination", folder]
            fetched = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
            archives = [*Path(folder).glob("*.tgz")]
            if fetched.returncode or not archives:
                return None
            with tarfile.open(archives[0]) as archive:
                member = archive.extractfile(_MEMBER)
                assert member is not None
                text = member.read()
        CACHE.mkdir(parents=True, exist_ok=True)
        draft = CACHE / f".{tempfile.gettempprefix()}{id(text)}"
        draft.write_bytes(text)
        draft.replace(kept)
    return kept.read_text(encoding="utf-8")
