"""Mutations of LangFlux's page, on its way to the browser.

`--mutations page:NAME` plants one. Each is a few routes of Playwright's in a browser's context: it changes what the
page asks, or what it is answered, so that a real LangFlux looks broken to whoever sits before the browser.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zep_conformance.facts.mutations import Mutations

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, BrowserContext, Route

Flow = dict[str, Any]
Change = Callable[[Any], Any]
"""What a fault does with an answer, a flow, a node's data or a question: returns another, or changes it."""

MUTATIONS = Mutations("page")

TEMPLATES = re.compile(r"/api/v1/marketplaces/templates")
NODES = re.compile(r"/api/v1/nodes$")
CHATFLOWS = re.compile(r"/api/v1/chatflows(/[0-9a-f-]{36})?$")
PREDICTION = re.compile(r"/api/v1/(internal-)?prediction/")
CHAT_MESSAGES = re.compile(r"/api/v1/(internal-)?chatmessage/")
CREDENTIALS = re.compile(r"/api/v1/credentials(\?|$)")
CREDENTIAL = re.compile(r"/api/v1/credentials(/[0-9a-f-]{36})?$")


def _change_answers(context: BrowserContext, url: re.Pattern[str], change: Change) -> None:
    """Change the JSON of every answer from a URL."""

    def handle(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=change(answer.json()))

    context.route(url, handle)


@MUTATIONS.family
def _of_templates(context: BrowserContext, change: Change) -> None:
    _change_answers(context, TEMPLATES, change)


def _by_method(context: BrowserContext, url: re.Pattern[str], **handlers: Callable[[Route], None]) -> None:
    """Handle the requests to a URL by their method; those that there is no handler for go on as they are."""

    def handle(route: Route) -> None:
        if handler := handlers.get(route.request.method):
            handler(route)
        else:
            route.fallback()

    context.route(url, handle)


def _with_flow(holder: dict[str, Any], change: Change) -> dict[str, Any]:
    """Return a template or a chatflow with its flow changed; one without a flow (a tool) as it is."""
    flow = json.loads(holder.get("flowData") or "{}")
    return {**holder, "flowData": json.dumps(change(flow))} if "nodes" in flow else holder


def _change_saving(context: BrowserContext, change: Change) -> None:
    """Change every chatflow that the page saves, on its way to LangFlux."""

    def save(route: Route) -> None:
        route.continue_(post_data=json.dumps(_with_flow(_sent(route), change)))

    _by_method(context, CHATFLOWS, POST=save, PUT=save)


_of_saving = MUTATIONS.family(_change_saving)


@MUTATIONS.family
def _of_saved_zep(context: BrowserContext, change: Change) -> None:
    """Change the Zep Memory of every chatflow that the page saves: the data of its node."""

    def changed(flow: Flow) -> Flow:
        for node in flow["nodes"]:
            if "baseURL" in node["data"]["inputs"]:
                change(node["data"])
        return flow

    _change_saving(context, changed)


def _change_questions(context: BrowserContext, change: Change) -> None:
    context.route(PREDICTION, lambda route: route.continue_(post_data=json.dumps(change(_sent(route)))))


def _sent(route: Route) -> dict[str, Any]:
    sent: dict[str, Any] = route.request.post_data_json or {}
    return sent


def _swallow(route: Route) -> None:
    route.fulfill(json={"affected": 4})


def _fetch_instead(route: Route, url: str) -> APIResponse:
    """Return what LangFlux answers to a GET, made in place of a request that changes something."""
    headers = {name: value for name, value in route.request.headers.items() if not name.startswith("content-")}
    return route.fetch(url=url, method="GET", headers=headers, post_data=b"")


def _internal(url: str) -> str:
    """Where the page asks for the messages of the chat that a URL deletes."""
    return re.sub(r"/chatmessage/", "/internal-chatmessage/", url.partition("?")[0])


@MUTATIONS.family
def _of_shown_tokens(context: BrowserContext, when: str) -> None:
    """Put the token that the page sent into later answers of LangFlux to a method."""
    sent: dict[str, Any] = {}

    def handle(route: Route) -> None:
        request = route.request
        if request.method == "POST":
            sent.update(_sent(route)["plainDataObj"])
        if request.method != when or (when == "GET" and "?" in request.url):
            route.fallback()
            return
        answer = route.fetch()
        body = answer.json()
        route.fulfill(response=answer, json={**body, "plainDataObj": sent} if isinstance(body, dict) else body)

    context.route(CREDENTIAL, handle)


_of_templates("template-missing", "The marketplace has no Conversation Chain", "UI-1")(
    lambda listed: [one for one in listed if "Conversation" not in one["templateName"]]
)
_of_templates("template-unjoined", "A template opened as a new canvas has its nodes, and nothing joins them", "UI-1")(
    lambda listed: [_with_flow(one, lambda flow: flow | {"edges": []}) for one in listed]
)


@MUTATIONS.mutation("zep-node-missing", "The list of nodes has no Zep Memory", "UI-2")
def zep_node_missing(context: BrowserContext) -> None:
    _change_answers(context, NODES, lambda listed: [one for one in listed if not one["name"].startswith("ZepMemory")])


_of_saved_zep("base-url-lost", "A saved chatflow has the Base URL that the node came with", "UI-2")(
    lambda node: node["inputs"].update(baseURL="http://127.0.0.1:8000")
)
_of_saving("memory-node-lost", "A saved chatflow lacks its memory", "UI-2")(
    lambda flow: flow | {"nodes": [node for node in flow["nodes"] if node["data"]["category"] != "Memory"]}
)


@_of_saving("memory-unjoined", "A saved chatflow has its memory, and the chain does not use it", "UI-2")
def memory_unjoined(flow: Flow) -> Flow:
    for node in flow["nodes"]:
        node["data"]["inputs"].pop("memory", None)
    return flow | {"edges": [edge for edge in flow["edges"] if "-input-memory-" not in edge["targetHandle"]]}


@MUTATIONS.mutation("save-swallowed", "Saving a chatflow again is acknowledged and not done", "UI-3")
def save_swallowed(context: BrowserContext) -> None:
    _by_method(context, CHATFLOWS, PUT=lambda route: route.fulfill(response=_fetch_instead(route, route.request.url)))


@MUTATIONS.mutation(
    "reload-gives-old-flow", "However often a chatflow is saved, the page opens it as it was at first", "UI-3"
)
def reload_gives_old_flow(context: BrowserContext) -> None:
    first: dict[str, str] = {}

    def get(route: Route) -> None:
        url = route.request.url
        if url not in first:
            first[url] = route.fetch().text()
        route.fulfill(json=json.loads(first[url]))

    _by_method(context, CHATFLOWS, GET=get)


@MUTATIONS.mutation("chat-id-changes", "The page sends each question under a chat id of its own", "UI-3")
def chat_id_changes(context: BrowserContext) -> None:
    _change_questions(context, lambda asked: asked | {"chatId": str(uuid.uuid4())})


@MUTATIONS.mutation("answers-empty", "The page shows the chatbot's answers without a word in them", "UI-3")
def answers_empty(context: BrowserContext) -> None:
    context.add_init_script(
        "new MutationObserver(() => document.querySelectorAll('#messagelist p')"
        ".forEach(text => { if (text.textContent !== '') text.textContent = ''; }))"
        ".observe(document, {childList: true, subtree: true, characterData: true});"
    )


@MUTATIONS.mutation("clear-swallowed", "Clearing the chat history is acknowledged and not done", "UI-4")
def clear_swallowed(context: BrowserContext) -> None:
    _by_method(context, CHAT_MESSAGES, DELETE=_swallow)


@MUTATIONS.mutation("clear-takes-all", "Clearing the chat history deletes every chat of the chatflow", "UI-4")
def clear_takes_all(context: BrowserContext) -> None:
    _by_method(context, CHAT_MESSAGES, DELETE=lambda route: route.continue_(url=route.request.url.partition("?")[0]))


@MUTATIONS.mutation("clear-hides-only", "Clearing the chat history hides the messages and deletes none", "UI-4")
def clear_hides_only(context: BrowserContext) -> None:
    cleared = False

    def delete(route: Route) -> None:
        nonlocal cleared
        cleared = True
        _swallow(route)

    def get(route: Route) -> None:
        if cleared:
            route.fulfill(json=[])
        else:
            route.fallback()

    _by_method(context, CHAT_MESSAGES, DELETE=delete, GET=get)


@MUTATIONS.mutation("clear-keeps-memory", "A cleared chat looks empty, and goes on with all that it remembers", "UI-4")
def clear_keeps_memory(context: BrowserContext) -> None:
    clear_hides_only(context)
    old: list[str] = []

    def under_the_old_id(asked: dict[str, Any]) -> dict[str, Any]:
        old.append(asked["chatId"])
        return asked | {"chatId": old[0]}

    _change_questions(context, under_the_old_id)


@MUTATIONS.mutation("clear-keeps-showing", "A cleared chat shows what was said before it was cleared", "UI-4")
def clear_keeps_showing(context: BrowserContext) -> None:
    shown = ""

    def delete(route: Route) -> None:
        nonlocal shown
        shown = _fetch_instead(route, _internal(route.request.url)).text()
        route.fallback()

    def get(route: Route) -> None:
        if shown:
            route.fulfill(json=[{**message, "chatId": str(uuid.uuid4())} for message in json.loads(shown)])
        else:
            route.fallback()

    _by_method(context, CHAT_MESSAGES, DELETE=delete, GET=get)


@MUTATIONS.mutation("credentials-unlisted", "The page lists no credentials", "AUTH-8")
def credentials_unlisted(context: BrowserContext) -> None:
    _by_method(context, CREDENTIALS, GET=lambda route: route.fulfill(json=[]))


_of_saved_zep("credential-lost", "A saved chatflow's Zep Memory has no credential", "AUTH-8")(
    lambda node: node.update(credential="")
)
_of_shown_tokens("credential-shown", "A credential that is opened again has its token in clear", "AUTH-8")("GET")
_of_shown_tokens("credential-echoed", "When a credential is added, the answer has its token in clear", "AUTH-8")("POST")
