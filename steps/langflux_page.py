"""Steps of langflux_page.feature: LangFlux's page, as a person sees and uses it."""

from __future__ import annotations

import pytest
from pytest_bdd import parsers

from fixtures.chatflows import Chatflows
from fixtures.chats import Chat, Chats
from fixtures.neighbours import Neighbours
from fixtures.page import PageUser
from fixtures.people import People, SessionIds
from fixtures.words import given, then, when
from zep_conformance.clients.enrichment import EnrichmentWait
from zep_conformance.clients.langflux import LangFlux
from zep_conformance.clients.page.actions import CredentialsPage, open_template
from zep_conformance.clients.page.places import ZEP_MEMORY
from zep_conformance.clients.page.visit import UNREAD, PageFailed, Visit
from zep_conformance.clients.zep import Zep
from zep_conformance.errors import needed
from zep_conformance.session.run import Run
from zep_conformance.targets import Deployment, LangFluxServer

BUFFER_MEMORY, CHAIN, MODEL = "Buffer Memory", "Conversation Chain", "ChatOpenAI"
"""The labels of the template's nodes."""
NOWHERE = "http://base-url-still-to-be-set.invalid"


@pytest.fixture
def deployed(deployment: Deployment) -> LangFluxServer:
    """Return the LangFlux under test, as it is deployed."""
    return needed(deployment.langflux, "a LangFlux")


# -- the marketplace and the canvas ---------------------------------------------------------------------------


@when("Alice opens the conversation chain template from the marketplace as a new canvas")
def open_documented_template(visit: Visit, langflux: LangFlux) -> None:
    """Open it, under any of its names. Documentation, “Use in LangFlux UI”, step 1."""
    open_template(visit, *langflux.family.templates)


@then("the canvas has ChatOpenAI and Buffer Memory, both joined to the Conversation Chain")
def canvas_has_template(page_user: PageUser) -> None:
    """Check its three nodes and two edges."""
    labels = page_user.canvas.labels()
    assert labels == [BUFFER_MEMORY, MODEL, CHAIN], f"on the canvas are {labels}"
    for label in (BUFFER_MEMORY, MODEL):
        page_user.canvas.see_joined(label, CHAIN)


@given("Alice has the credentials that she needs, and has opened the conversation chain template as a new canvas")
def open_with_credentials(page_user: PageUser, run: Run, chatflows: Chatflows) -> None:
    """Add one for the model, and one for Zep where it is secured, first: the canvas lists them when a node appears."""
    assert chatflows.model_credential_name
    token = chatflows.token
    if token is not None:
        chatflows.zep_credential(token, "zep-for-page")
        page_user.credential = f"{run.prefix}-zep-for-page"
    open_template(page_user.visit, *page_user.langflux.family.templates)


@when("she replaces Buffer Memory by Zep Memory on the canvas")
def replace_memory(page_user: PageUser) -> None:
    """Delete the one, drag the other from the list of nodes, and join it. Same section, step 2."""
    page_user.canvas.remove(BUFFER_MEMORY)
    page_user.canvas.add(ZEP_MEMORY, search="Zep")
    page_user.canvas.join_memory(ZEP_MEMORY, CHAIN)


@when("she types the Base URL into it, and chooses its credential where Zep is secured")
def set_base_url(page_user: PageUser, deployed: LangFluxServer) -> None:
    """Type the URL of Zep as LangFlux sees it."""
    page_user.canvas.type_base_url(deployed.zep_url)
    if page_user.credential:
        page_user.canvas.choose_credential(ZEP_MEMORY, page_user.credential)


@when("she points ChatOpenAI at the model server, and saves the chatflow")
def set_model_and_save(page_user: PageUser, run: Run, deployed: LangFluxServer, chatflows: Chatflows) -> None:
    """Choose its credential, and type the base path among its additional parameters."""
    page_user.canvas.choose_credential(MODEL, chatflows.model_credential_name)
    page_user.canvas.type_base_path(MODEL, deployed.model_url)
    page_user.made(page_user.canvas.save(f"{run.prefix}-by-hand"))


@then("the saved chatflow remembers in Zep Memory at that Base URL, and in no Buffer Memory")
def saved_flow_has_zep(page_user: PageUser, deployed: LangFluxServer) -> None:
    """Check what LangFlux's API has: the nodes, what was typed, and what the chain refers to."""
    flow = page_user.langflux.flow(page_user.chatflow)
    by_name = {node["data"]["name"]: node["data"] for node in flow["nodes"]}
    assert "bufferMemory" not in by_name, "the saved chatflow still has Buffer Memory"
    assert "ZepMemory" in by_name, f"the saved chatflow has no Zep Memory: {sorted(by_name)}"
    memory = by_name["ZepMemory"]
    assert memory["inputs"]["baseURL"] == deployed.zep_url, f"its Base URL is {memory['inputs']['baseURL']!r}"
    chain = by_name["conversationChain"]
    assert chain["inputs"].get("memory") == f"{{{{{memory['id']}.data.instance}}}}", (
        f"the chain's memory is {chain['inputs'].get('memory')!r}, not {memory['id']}"
    )
    edges = [(edge["source"], edge["target"]) for edge in flow["edges"]]
    assert (memory["id"], chain["id"]) in edges, f"no edge joins them: {edges}"


@then("a chatbot made so remembers what it is told")
def made_chatbot_remembers(page_user: PageUser, chats: Chats, people: People, session_ids: SessionIds) -> None:
    """Check it over LangFlux's API, under a session id of her own."""
    person = people["Alice"]
    chat = Chat(page_user.chatflow, session=session_ids.new(person.user_id))
    chats.say(chat, f"Hi, my name is {person.name}")
    answer = chats.say(chat, "What is my name?")
    assert person.name in answer.text, f"the chatbot answers {answer.text!r}"


@given("a chatbot whose Base URL is still to be set is open in the page")
def open_unset(page_user: PageUser, chatflows: Chatflows) -> None:
    """Open a chatflow of its own, since it is about to be changed."""
    page_user.open(chatflows.new("unset", NOWHERE, token=chatflows.token))


@given("Alice has typed the Base URL into its Zep Memory, saved, and reloaded the page")
@when("Alice types the Base URL into its Zep Memory, saves, and reloads the page")
def set_save_reload(page_user: PageUser, deployed: LangFluxServer) -> None:
    """Type it, save, and reload. Same section, step 3."""
    page_user.canvas.type_base_url(deployed.zep_url)
    page_user.canvas.save()
    page_user.canvas.reload()


@then("the canvas shows Zep Memory with that Base URL")
def canvas_shows_saved(page_user: PageUser, deployed: LangFluxServer) -> None:
    """Check the URL that was saved, and that it is still joined to the chain."""
    found = page_user.canvas.base_url()
    assert found == deployed.zep_url, f"after the reload the Base URL is {found!r}"
    page_user.canvas.see_joined(ZEP_MEMORY, CHAIN)


# -- the chat -------------------------------------------------------------------------------------------------


@given("the documented chatbot is open in the page")
def open_documented(page_user: PageUser, deployed: LangFluxServer, chatflows: Chatflows) -> None:
    """Open a chatflow of its own, since its chat messages are about to be cleared."""
    page_user.open(chatflows.new("to-clear", deployed.zep_url, token=chatflows.token))


@given(parsers.parse('she has said "{text}" in the page\'s chat'))
@when(parsers.parse('she says "{text}" in the page\'s chat'))
def says_in_page(page_user: PageUser, people: People, text: str) -> None:
    """Type it, naming roles by their names, and wait for the whole answer."""
    page_user.say(people.in_text(text))


@given(parsers.parse('asking "{text}" in the page\'s chat gives "{role}"'))
@then(parsers.parse('asking "{text}" in the page\'s chat gives "{role}"'))
def page_knows(page_user: PageUser, people: People, text: str, role: str) -> None:
    """Ask, and check that the answer has the name, which only who was told it can know."""
    answer = page_user.say(text)
    assert people[role].name in answer, (
        f"the page's chat does not know the name {people[role].name}: it answers {answer!r}"
    )


@given(parsers.parse('Bob has told that chatbot "{text}" through LangFlux\'s API'))
def told_beside(
    page_user: PageUser, chats: Chats, people: People, session_ids: SessionIds, neighbours: Neighbours, text: str
) -> None:
    """Say the same as she has in a chat of his own, and look at that once it is enriched."""
    session, chat, said = session_ids.new(people["Bob"].user_id), session_ids.new("chat"), people.in_text(text)
    chats.say(Chat(page_user.chatflow, session=session, chat=chat), said)
    chats.settle(session)
    neighbours.chat_messages("of Bob", page_user.langflux, page_user.chatflow, session=session, chat=chat)
    if page_user.zep is not None:
        neighbours.session("the session of Bob", page_user.zep, session, said)
    neighbours.look()


@when("she clears the chat history in the page")
def clear_in_page(page_user: PageUser, enrichment: EnrichmentWait) -> None:
    """Press the button, and confirm, after everything has settled (DEV-1)."""
    if page_user.zep is not None:
        for message in page_user.langflux.chat_messages(page_user.chatflow)[-1:]:
            enrichment.settle(page_user.zep, message.session_id)
    page_user.cleared = page_user.window.ids()[-1]
    page_user.window.clear()
    page_user.is_talking = False


@then("the page's chat shows nothing that was said")
def page_shows_nothing(page_user: PageUser) -> None:
    """Open it again, and check that it is empty."""
    page_user.talk()
    shown = page_user.window.messages()
    assert shown == [], f"the cleared chat still shows {shown}"


@then(parsers.parse('asking "{text}" in the page\'s chat shows no memory of the old conversation'))
def page_has_forgotten(page_user: PageUser, people: People, text: str) -> None:
    """Ask, and check that her name is not in the answer."""
    answer = page_user.say(text)
    assert answer.strip(), "the cleared chat answers nothing at all, which shows nothing"
    assert people["Alice"].name not in answer, f"the cleared chat still remembers: {answer!r}"


@then("LangFlux lists no chat messages of the cleared chat")
def cleared_chat_is_empty(page_user: PageUser) -> None:
    """Check it over LangFlux's API, by the chat id that the page had sent.

    That is before anything else is said: a chat window that is opened again at once goes on under that same id.
    """
    listed = page_user.langflux.chat_messages(page_user.chatflow, chatId=page_user.cleared)
    assert listed == [], f"LangFlux still lists {len(listed)} chat messages of the cleared chat"


# -- credentials ----------------------------------------------------------------------------------------------


@given("a chatbot in front of the secured Zep has no credential on its Zep node")
def without_credential(page_user: PageUser, run: Run, secured_zep: Zep, chatflows: Chatflows) -> None:
    """Make a chatflow of its own, since it is about to be changed."""
    page_user.zep = secured_zep
    secured = needed(run.deployment.secured, "a secured Zep")
    page_user.chatflow = chatflows.new("no-credential", secured.url_from_langflux)
    page_user.token = needed(secured.token, "the JWT")


@given("Alice has added a credential for Zep that holds the JWT on the page of credentials")
@when("Alice adds a credential for Zep that holds the JWT on the page of credentials")
def add_credential(page_user: PageUser, run: Run) -> None:
    """Add it: the JWT goes into the field for the API key. Documentation, “Zep Authentication”, step 3."""
    page = CredentialsPage(page_user.visit)
    page.open()
    page_user.credential = f"{run.prefix}-by-hand"
    page_user.heard_before = len(page_user.visit.heard)
    added = page.add_zep(page_user.credential, page_user.token)
    page_user.cleanup.credential(page_user.langflux, added)
    page.listed(page_user.credential)


@given("she has chosen it on the chatbot's Zep node, and saved the chatflow")
@when("she chooses it on the chatbot's Zep node, and saves the chatflow")
def choose_credential(page_user: PageUser) -> None:
    """Choose it, save, and reload, so that the chat is that of what was saved. Same section, step 4."""
    page_user.open(page_user.chatflow)
    page_user.canvas.choose_credential(ZEP_MEMORY, page_user.credential)
    page_user.canvas.save()
    page_user.canvas.reload()


@when("she opens the credential again")
def open_credential(page_user: PageUser) -> None:
    """Open it to edit it, from the list of credentials."""
    page = CredentialsPage(page_user.visit)
    page.open()
    page.edit(page_user.credential)


@then("the token is not on the page, and LangFlux has not sent it to the browser")
def token_not_shown(page_user: PageUser) -> None:
    """Check that its signature is not in the HTML, in no field, in no answer since it was typed."""
    signature = page_user.token.rpartition(".")[2]
    page_user.visit.all_heard()
    # Said by ourselves: pytest would show the page and the answers, which a token has to be cut out of.
    if signature in page_user.visit.everything_shown():
        raise PageFailed("the page has the token in it: in its HTML, or in a field")
    for heard in page_user.visit.heard[page_user.heard_before :]:
        if heard.answer == UNREAD:
            raise PageFailed(f"the answer to {heard.method} {heard.url} could not be looked at")
        if signature in heard.answer:
            raise PageFailed(f"the answer to {heard.method} {heard.url} has the token in it")
