"""What can be found behind the door: the store, the NLP server, the model, LangFlux, and LangFlux's view of Zep."""

from __future__ import annotations

from zep_conformance.doctor.entries import faults, notes

STORE = [
    *faults(
        "store",
        (
            "store-down",
            "/healthz is fine, but reading a memory gives {status}: {said}",
            "PostgreSQL is down or refuses Zep; /healthz does not look at it",
            "Start PostgreSQL, check ZEP_STORE_POSTGRES_DSN and the disk; Zep need not be restarted.",
        ),
        (
            "store-silent",
            "/healthz is fine, but reading a memory takes more than {limit} s",
            "PostgreSQL hangs, is overloaded, or a firewall drops Zep's connections to it",
            "See PostgreSQL's log and load, and the network between it and Zep.",
        ),
        (
            "write-refused",
            "a write is answered {status}: {said}",
            "PostgreSQL takes no writes (disk full, a read-only replica), or a proxy lets only reads through",
            "See the logs of Zep and PostgreSQL.",
        ),
        (
            "write-lost",
            "a write was acknowledged, and {found} of {count} messages can be read",
            "reads go to another database than writes, or two Zeps answer behind one address",
            "See that one Zep, with one PostgreSQL, is behind this address.",
        ),
    ),
    *notes(
        "store",
        (
            "store-recovering",
            "reading a memory failed {count} times, then worked",
            "PostgreSQL was restarted a moment ago: each of Zep's old connections fails once",
            "Nothing; if it goes on, see PostgreSQL's log.",
        ),
        (
            "left-behind",
            "{what} could not be removed ({said})",
            "it was made for this examination",
            "Remove it by hand when the server works again.",
        ),
    ),
    *faults(
        "NLP",
        (
            "nlp-down",
            "searching gives {status}: {said}",
            "Zep can't reach its NLP server: zep-nlp is down, or ZEP_NLP_SERVER_URL is wrong",
            "Start zep-nlp and see its log; memories are kept meanwhile and enriched when it is back.",
        ),
        (
            "nlp-silent",
            "a search has no answer in {limit} s",
            "the NLP server is down, hangs or is slow: Zep asks it again and again, and gives up after 31 s",
            "Is zep-nlp running (GET /healthz on its port 5557)? It needs about 1 GB of memory to load its models.",
        ),
        (
            "embedding-width",
            "embeddings are of another width than the database's column: {said}",
            "the embedding service was changed: local ones have 384 numbers, OpenAI's 1536",
            "Set extractors.messages.embeddings (service, dimensions) to what the data was made with, or start anew.",
        ),
        (
            "search-odd-answer",
            "searching gives {status}: {said}",
            "neither the NLP server nor an embedding's width is named",
            "See Zep's log.",
        ),
        (
            "not-enriched",
            "a message that was written was not enriched in {limit} s",
            "the NLP server answers searches, but Zep's queues do not move",
            "See Zep's log; clearing sessions before they are enriched stalls the queues for 14 s each.",
        ),
    ),
    *notes(
        "NLP",
        (
            "nlp-slow",
            "a search takes {seconds} s",
            "the NLP server or the embedding service is slow (a first request loads its models)",
            "Look again; if it stays so, give zep-nlp more processor and memory.",
        ),
    ),
]
MODEL = [
    *faults(
        "model",
        (
            "model-url-without-v1",
            "{shown} has no OpenAI-compatible API, but {shown}/v1 has",
            "the /v1 is missing",
            "Write {shown}/v1",
        ),
        (
            "model-no-api",
            "{shown}/models gives {status}",
            "no OpenAI-compatible API is there",
            "Give the base URL of one, with /v1.",
        ),
        (
            "not-summarised",
            "{count} messages were written, and neither a summary nor an intent came in {limit} s",
            "Zep can't reach its language model, or the model refuses its key",
            "Check ZEP_OPENAI_API_KEY (or the model's endpoint) in Zep's environment; see Zep's log.",
        ),
    ),
    *notes(
        "model",
        (
            "model-out-of-sight",
            "the model server can't be reached from here: {symptom}",
            "its URL is the one that LangFlux uses, and may be right there (a name inside a container network)",
            "Nothing, if chats are answered.",
        ),
        (
            "model-wants-key",
            "the model server answers {status} without a key",
            "it wants a key, which is not this examination's to have; LangFlux and Zep have theirs",
            "Nothing, if theirs are good.",
        ),
        (
            "summary-missing",
            "{count} messages were written and no summary came in {limit} s",
            "memory.message_window is larger: below it no summary is expected (12 by default)",
            "Nothing; or give --message-window.",
        ),
        (
            "intent-missing",
            "no intent was found for a message in {limit} s",
            "extractors.messages.intent is off, or the model is slow",
            "Nothing, unless intents are wanted.",
        ),
    ),
]
LANGFLUX = [
    *faults(
        "version",
        (
            "not-langflux",
            "/api/v1/ping gives {status} and not pong",
            "the address is another server's, or has a path in front of LangFlux",
            "Give the address of LangFlux (or Flowise) itself, by default port 3000, without a path.",
        ),
    ),
    *notes(
        "version",
        (
            "langflux-untested",
            "it is Flowise {version}, newer than any known here",
            "the newest that this was tried with is {newest}",
            "Nothing, if it works.",
        ),
    ),
    *faults(
        "key",
        (
            "langflux-key-missing",
            "401 on everything but predictions, and no API key was given",
            "since 2.0.7 the API wants a key",
            "Make one in LangFlux's page under API Keys and set $LANGFLUX_API_KEY.",
        ),
        (
            "langflux-key-wrong",
            "LangFlux refuses the API key: {status}",
            "it is another server's key, was deleted, or is no key (Zep's token, blanks around it)",
            "Copy one from API Keys in LangFlux's page.",
        ),
        (
            "langflux-login-needed",
            "401, and no API key was given: this LangFlux wants a login",
            "since 3.0.1 there are accounts; before that, FLOWISE_USERNAME and FLOWISE_PASSWORD are set",
            "Set $LANGFLUX_USER and $LANGFLUX_PASSWORD; or make a key in LangFlux's page, and set $LANGFLUX_API_KEY.",
        ),
        (
            "langflux-login-wrong",
            "LangFlux refuses the user or the password: {status}",
            "one of them is mistyped, or another server's; since 3.0.1 the user is an e-mail address",
            "Try them on LangFlux's page; set $LANGFLUX_USER and $LANGFLUX_PASSWORD, or $LANGFLUX_API_KEY alone.",
        ),
        (
            "langflux-login-broken",
            "LangFlux itself answers the login {status}: {said}",
            "its database: on SQLite Flowise 3.0.13 takes no more logins after two at once, until it is restarted",
            "Restart LangFlux, and see its log; with $LANGFLUX_API_KEY no login is needed.",
        ),
        (
            "langflux-not-set-up",
            "nobody has an account on this LangFlux yet",
            "it was just installed: until somebody has registered on its page, nobody is let in",
            "Open its page and register, then set $LANGFLUX_USER and $LANGFLUX_PASSWORD.",
        ),
        (
            "langflux-no-zep-memory",
            "it has no node Zep Memory ({status})",
            "a version without it, or one in which it is disabled (DISABLED_NODES)",
            "Use Flowise 2.2.8, or enable the node.",
        ),
    ),
]
VIEW = [
    *faults(
        "view",
        (
            "view-loopback",
            "LangFlux is to find Zep at {shown}, but {why}",
            "127.0.0.1 is then LangFlux's own machine or container, and there is no Zep in it: fetch failed",
            "Set the Base URL to http://zep:8000 within one compose project, http://host.docker.internal:8000 from a "
            "container, or the host's own name; and give it here as --zep-url-from-langflux.",
        ),
        (
            "view-trailing-slash",
            "the Base URL in LangFlux, {shown}, ends with a slash",
            "LangFlux asks //healthz, which is 404: failed to connect to Zep",
            "Write it without: {origin}",
        ),
        (
            "view-unreachable",
            "LangFlux can't reach Zep at {shown}: {said}",
            "that address is not Zep's from where LangFlux runs, or a firewall is between them",
            "Try it from LangFlux's host or container: curl {origin}/healthz",
        ),
        (
            "view-token",
            "Zep at {shown} refuses LangFlux: {said}",
            "the Zep that LangFlux reaches wants another token than the one given here",
            "Put that Zep's JWT into the Zep credential's API Key field, and select the credential on the node.",
        ),
        (
            "view-forgets",
            "LangFlux answers, and Zep has {count} messages of that conversation",
            "LangFlux reaches another Zep than the one looked at here, or its write failed without a word",
            "Compare the Base URL on the node with Zep's address; see Zep's log for the write.",
        ),
        (
            "view-failed",
            "a prediction through a temporary chatflow gives {status}: {said}",
            "LangFlux can't reach the model server at the URL given, or the chatflow does not run there",
            "See LangFlux's log; is the model's URL right from where LangFlux runs?",
        ),
    ),
    *notes(
        "view",
        (
            "view-unchecked",
            "whether LangFlux reaches Zep at {shown} can't be seen from here",
            "only LangFlux itself can tell",
            "Add --write and --model-url: a temporary chatflow then tries it, and is removed.",
        ),
    ),
]
