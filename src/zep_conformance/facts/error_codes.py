"""What ends a run or a command without a result: every code that an error has, beside those of findings.

The doctor's findings and those about deployment files have codes of the same space, in their own catalogues: an error
that says the same as one of them has its code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorCode:
    """What a code stands for. room: what it is about. meaning, cause, advice: as far as they hold wherever it comes."""

    code: str
    room: str
    meaning: str
    cause: str
    advice: str


def _of(room: str, *rows: tuple[str, str, str, str]) -> list[ErrorCode]:
    return [ErrorCode(code, room, meaning, cause, advice) for code, meaning, cause, advice in rows]


# fmt: off  (four lines an entry, or five)
_ALL = [
    *_of(
        "the command line",
        (
            "command-unknown",
            "there is no such command",
            "it is misspelt, or another version of zep-conformance has it",
            "`zep-conformance --help` lists them.",
        ),
        (
            "usage-wrong",
            "the command does not take what it was given",
            "an option or an argument is misspelt, is missing, or belongs to another command",
            "`--help` behind the command says what there is.",
        ),
        (
            "option-unknown",
            "there is no such option, neither of ours nor of pytest's",
            "it is misspelt, or was renamed",
            "`zep-conformance run --help` lists ours, `pytest --help` lists pytest's.",
        ),
        (
            "option-invalid",
            "the value of an option, or of its variable, is not one that it can have",
            "a misspelt name, a text in place of a number, or a value that was put into the wrong variable",
            "The message says what the setting is; give it so.",
        ),
        (
            "options-conflict",
            "two options that were given exclude each other, or one needs another that is missing",
            "each says another thing about the same, or only half of a pair was given",
            "Leave one out, or give the other as well, as the message says.",
        ),
        (
            "setting-unknown",
            "pyproject.toml has a setting in [tool.zep-conformance] that there is not",
            "it is misspelt, or was renamed",
            "`zep-conformance run --help` lists the settings: in the file they have underscores.",
        ),
        (
            "setting-unused",
            "a setting was given that the chosen target does not use",
            "it belongs to another target: had it been ignored, the run would have tested something else",
            "Leave it out, or choose a target that uses it: `zep-conformance run --help` groups them so.",
        ),
        (
            "setting-is-secret",
            "a file holds a setting that is a secret",
            "whoever can read the repository could read it",
            "Set it by its environment variable.",
        ),
        (
            "settings-unreadable",
            "pyproject.toml can't be read",
            "it is no TOML, or may not be read",
            "Mend it, or start in another folder.",
        ),
        (
            "name-unknown-here",
            "a part, a sequence or another name was given that there is not",
            "it is misspelt",
            "The message lists those that there are.",
        ),
        (
            "mutation-unknown",
            "there is no such mutation or recorded behaviour",
            "it is misspelt, lacks its part (zep:NAME), or belongs to the other of the two options",
            "docs/mutations.md lists them.",
        ),
        (
            "address-missing",
            "nothing says where a server is that is needed",
            "neither the option nor its variable is set",
            "Give the option that the message names, or set its variable.",
        ),
        (
            "file-exists",
            "the file that was to be written is there already",
            "an earlier command wrote it",
            "Give --force to overwrite it, or another name.",
        ),
        (
            "file-unreadable",
            "a file or a folder can't be read",
            "it is not there, is something else, or may not be read by this user",
            "Give one that is there and that you may read.",
        ),
        (
            "file-unwritable",
            "a file or a folder can't be made or written",
            "its folder is not there, may not be written to by this user, or the disk is full",
            "Give one that is there and that you may write to; $TMPDIR and $ZEP_CONFORMANCE_CACHE name other places.",
        ),
        (
            "secret-malformed",
            "what was given as Zep's secret can't be one",
            "it is empty, or has blanks or quotes around it, which Zep would take as part of it",
            "Give the bare secret, or leave it out: `zep-conformance token` makes one.",
        ),
    ),
    *_of(
        "targets",
        (
            "target-unknown",
            "there is no such target",
            "it is misspelt",
            "There are auto, embedded, containers, compose:PATH, processes and remote.",
        ),
        (
            "target-unnamed",
            "no target was named, in a pipeline",
            "$CI is set: a gate must say what it tests, and `auto` could choose another thing from run to run",
            "Give --target with --zep-url, or --target embedded to test the suite itself.",
        ),
        (
            "part-died",
            "a part ended, or did not come up",
            "its configuration, its image or program, or the machine; the end of its log is shown",
            "See the last words of its log; start it by hand to see more.",
        ),
        (
            "part-silent",
            "a part was started and does not answer in time",
            "the machine is overloaded, or what was started is not what it should be",
            "See the end of its log and the machine's load; then run again.",
        ),
        (
            "port-taken",
            "a port that a part was to listen on is in use",
            "another program, or an earlier run's container, listens there",
            "`ss -ltnp` and `docker ps` say what it is: end it, or give another port.",
        ),
        (
            "disk-full",
            "there is not enough room on a disk",
            "what is to be installed, or a run's state, takes more than is free there",
            "Make room, or name a folder on another disk in $TMPDIR or $ZEP_CONFORMANCE_CACHE.",
        ),
        (
            "postgres-refuses",
            "PostgreSQL lets nobody in, or makes no database",
            "its address, user or password is wrong, its user may make no databases, or pgvector is missing",
            "Try the same by psql; as its administrator: ALTER ROLE … CREATEDB.",
        ),
        (
            "langflux-key-unmade",
            "no API key could be made in this LangFlux",
            "the login may make none, or this target makes none in a LangFlux that is given",
            "Make one on LangFlux's page under API Keys, and set $LANGFLUX_API_KEY.",
        ),
        (
            "cut-off-impossible",
            "a part can't be cut off from its network here",
            "the engine does not let a container's firewall be set (NET_ADMIN), or the port is Docker's to publish",
            "Give --without network: what needs it is skipped.",
        ),
        (
            "page-undrivable",
            "LangFlux's page can't be driven from here",
            "Playwright or a Chromium is missing, the page asks for a login, or there is none",
            "pip install 'zep-conformance[page]', install a Chromium, or give --langflux-user and $LANGFLUX_PASSWORD.",
        ),
        (
            "browser-fails",
            "the browser does not start",
            "a library that it needs is missing, or it may not be run by this user",
            "Start it by hand with --headless to see why, or give another one with --browser.",
        ),
    ),
    *_of(
        "containers and Compose",
        (
            "engine-missing",
            "no container engine answers",
            "it is not installed, does not run, or $DOCKER_HOST or the docker context leads elsewhere",
            "Start it: sudo systemctl start docker, or Docker Desktop; --target embedded needs none.",
        ),
        (
            "engine-forbidden",
            "the container engine's socket may not be used by this user",
            "the user is not in the group that it belongs to",
            "sudo usermod -aG docker $USER, then log in again; or use sudo.",
        ),
        (
            "engine-unusable",
            "the container engine answers, and does not do what it is asked",
            "it is of an old version, is not well, or a remote one does not allow it",
            "See whether `docker version` and `docker info` work.",
        ),
        (
            "engine-disk-full",
            "the container engine's disk is full",
            "images, volumes and what was built take their room",
            "`docker system df` says what fills it, `docker system prune` makes room.",
        ),
        (
            "engine-memory-short",
            "the container engine has too little memory to start a container",
            "others use it, or the engine's machine was given little",
            "Give it more (6 GB are enough for all parts), or end other containers.",
        ),
        (
            "container-not-started",
            "the container engine does not start a container",
            "the image does not fit this machine, or the engine refuses how it is to be run",
            "See whether `docker run` of that image works.",
        ),
        (
            "container-gone",
            "a container is not there any more, or was never made",
            "somebody removed it while the run went on, or its service has a scale of 0 or a profile",
            "Run again; see that nobody removes containers meanwhile.",
        ),
        (
            "container-unhealthy",
            "a container runs, and its health check fails",
            "the check asks for something else than there is, or by a tool that the image lacks",
            "See what the check says, and whether its command is in the image.",
        ),
        (
            "network-unmade",
            "the container engine makes no network",
            "it has room for some thirty, and earlier runs or others took them",
            "`docker network prune` removes those that nobody uses.",
        ),
        (
            "image-unpullable",
            "an image can't be pulled",
            "its name is wrong, its registry can't be reached or wants a login, or it has none for this machine",
            "Try `docker pull`; --registry names a mirror, and an option for each part another image.",
        ),
        (
            "image-missing",
            "there is no image of our own model server, and it can't be built here",
            "this is an installed copy and no checkout, or the build failed",
            "`docker build -t zep-conformance:VERSION .` in a checkout; --model-image or --model-url name others.",
        ),
        (
            "model-image-wrong",
            "the image of the model server does not do what this version needs of it",
            "it is of another version of zep-conformance, or something else",
            "Give a --model-image of this version.",
        ),
        (
            "ryuk-failed",
            "the clean-up container of testcontainers was asked for, and can't be started",
            "$TESTCONTAINERS_RYUK_DISABLED is set to false, and its image can't be had",
            "Unset that variable: a run removes what it started without it, too.",
        ),
        (
            "compose-missing",
            "there is no Docker Compose on this machine",
            "neither `docker compose` nor `docker-compose` is installed",
            "Install the plugin, which Docker's packages call docker-compose-plugin.",
        ),
        (
            "compose-path-wrong",
            "there is no Compose project where one was named",
            "no path was given behind compose:, nothing is there, or no Compose file is in that folder",
            "Give the folder of the project, or its file: --target compose:../zep",
        ),
        (
            "compose-unreadable",
            "Compose does not understand the project",
            "a key is misspelt or indented wrongly, or a variable that it needs is not set",
            "`docker compose config` in the project's folder says the same; mend what it names.",
        ),
        (
            "compose-no-zep",
            "the Compose project has no Zep in it",
            "a Zep is told by its image, its port, its name, or variables that begin with ZEP_",
            "Name the project that Zep is in, or call its service zep.",
        ),
        (
            "compose-ambiguous",
            "it can't be told which service of the Compose project is which part",
            "several look alike",
            "Call one of them by the part's name, or leave the others out.",
        ),
        (
            "compose-failed",
            "Compose could not build, pull or start the project",
            "a build fails, an image can't be had, or a container does not start: its last words say which",
            "Do the same by hand: docker compose up.",
        ),
        (
            "compose-host-network",
            "a service shares the network of a host or of another container",
            "a second one beside that which is deployed would take its ports",
            "Leave network_mode out for the test, or test what runs with --target remote.",
        ),
        (
            "compose-database-elsewhere",
            "the project's Zep would work on a database outside of the project",
            "its DSN names a server that is none of the project's services: somebody's data may be there",
            "Give the project a database of its own for the test, or test what runs with --target remote.",
        ),
        (
            "message-window-other",
            "Zep's message window is another than the suite expects",
            "ZEP_MEMORY_MESSAGE_WINDOW is set for it",
            "Give the same with --message-window.",
        ),
    ),
    *_of(
        "processes",
        (
            "zep-binary-unusable",
            "what --zep-binary names is no Zep that can be started here",
            "it is not there, may not be run, or was built for another system",
            "docs/processes.md says how to come by one.",
        ),
        (
            "tokenizer-missing",
            "Zep's tokenizer can't be had, without which Zep does not start",
            "this machine can't reach where it is fetched from, or something else is answered there",
            "Fetch the file elsewhere and put it where the message says.",
        ),
        (
            "postgres-missing",
            "there is no PostgreSQL, or no client for it, on this machine",
            "a real Zep needs one, and nothing that has it is installed",
            "pip install 'zep-conformance[processes]', or name a server with --postgres-dsn.",
        ),
        (
            "pgvector-missing",
            "a PostgreSQL has no pgvector",
            "Zep stores embeddings in columns of the type that this extension brings",
            "apt-get install postgresql-VERSION-pgvector on its machine, or pip install 'zep-conformance[processes]'.",
        ),
        (
            "postgres-refuses-root",
            "PostgreSQL is not to be run by root, and no other user can run it here",
            "there is no such user, or it may not enter a folder on the way",
            "Run this as another user; or useradd --system postgres, and export TMPDIR=/tmp.",
        ),
        (
            "langflux-not-installed",
            "there is no LangFlux on this machine",
            "no `flowise` is on the PATH, and none was installed from npm by us",
            "`zep-conformance install-langflux` does that; --langflux-command names another.",
        ),
        (
            "langflux-command-unusable",
            "what --langflux-command names can't be run",
            "it is empty, is not there, or may not be run",
            'Give it like "npx flowise start", or the program\'s path.',
        ),
        (
            "langflux-no-access",
            "the LangFlux that was started does not let us in",
            "it is another program, or was told to ask for a login that we do not have",
            "See whether --langflux-command starts a LangFlux (Flowise) as it comes.",
        ),
        (
            "langflux-lock-missing",
            "there is no committed lock for that version of LangFlux",
            "only those that the suite was tried with are installed by it",
            "`zep-conformance install-langflux --list` lists them; any other can be given running.",
        ),
        (
            "node-unfit",
            "there is no Node.js that LangFlux runs on",
            "none is on the PATH, or it is of another version",
            "Install the version that the message names, for instance by nvm.",
        ),
        (
            "npm-missing",
            "npm is missing, or does not work",
            "Debian and Ubuntu have it apart from Node.js",
            "apt-get install npm, or Node.js from https://nodejs.org, which has it.",
        ),
        (
            "npm-failed",
            "npm could not install LangFlux",
            "the registry can't be reached, the disk is full, or a compiler is missing: its last words say which",
            "Mend that and run the same command again: what was begun is removed.",
        ),
    ),
    *_of(
        "a run",
        (
            "read-only",
            "a request was not sent, since it could write",
            "--read-only was given",
            "Nothing; or leave the option out, where writing under names of our own is allowed.",
        ),
        (
            "max-requests",
            "no more requests are sent",
            "--max-requests was given, and so many have been sent",
            "Give a larger number, or run less at a time.",
        ),
        (
            "report-unreadable",
            "a report of an earlier run can't be read",
            "it is not there, was cut off, or is of another program or version",
            "Give the conformance.json that an earlier `zep-conformance run` wrote.",
        ),
        (
            "report-incomplete",
            "a report does not say what is needed of it",
            "the run had no LangFlux, named no version, or did not come to its end",
            "Give the report of a whole run in which nothing broke.",
        ),
        (
            "harness-broken",
            "zep-conformance itself is wrong",
            "something that it relies on is not so",
            "Please report it, with what was shown.",
        ),
    ),
    *_of(
        "recordings",
        (
            "recording-malformed",
            "a file is no recording, and no script",
            "a line is no JSON, lacks a request or an answer, or the file is empty",
            "docs/recordings.md describes the format.",
        ),
        (
            "recording-has-secret",
            "a script has a token, a key or an address in it, which must not be recorded",
            "it was written by hand, or made by something else",
            "Take it out: tokens and keys come from variables, addresses as {{zep-url}} and {{model-url}}.",
        ),
        (
            "nothing-recorded",
            "there is nothing to record",
            "every sequence was left out",
            "Leave out a --skip, or an --only.",
        ),
        (
            "nothing-compared",
            "no exchange could be compared",
            "each was left out, since it can't be asked of a server that others use",
            "See above why; play a recording whose exchanges can be asked.",
        ),
        (
            "server-gone",
            "a server has stopped answering in the middle",
            "it crashed, was stopped, or the network to it is gone",
            "See whether it still runs, and its log.",
        ),
    ),
    *_of(
        "deployment files",
        (
            "files-unknown",
            "there is no deployment file of a kind that is known here",
            "known are Render blueprints (render.yaml), fly.toml and Compose projects (docker-compose.yaml)",
            "Give the folder that they are in, or the files themselves.",
        ),
        (
            "files-malformed",
            "a deployment file can't be understood",
            "it is no YAML or TOML, no text, or much larger than such files are",
            "Mend it where the message says: nothing of it can be read.",
        ),
    ),
]
# fmt: on
ERROR_CODES = {one.code: one for one in _ALL}
"""Each, by its code."""
