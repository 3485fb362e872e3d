"""Steps about LangFlux's page, as a person sees and uses it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pytest_bdd import given, parsers, then, when

from fixtures.belongings import Belongings
from fixtures.chatflows import Chatflows
from fixtures.enrichment import Enrichment
from fixtures.people import People, SessionIds
from steps.langflux import Chat, Chats
from zep_conformance.clients.langflux import LangFlux
from zep_conformance.clients.page.canvas import Canvas
from zep_conformance.clients.page.chat import ChatWindow
from zep_conformance.clients.page.credentials import CredentialsPage
from zep_conformance.clients.page.marketplace import open_template
from zep_conformance.clients.page.places import ZEP_MEMORY
from zep_conformance.clients.page.visit import UNREAD, Visit
from zep_conformance.clients.zep import Zep
from zep_conformance.errors import needed
from zep_conformance.session.run import Run
from zep_conformance.targets import Deployment, LangFluxServer

BUFFER_MEMORY, CHAIN, MODEL = "Buffer Memory", "Conversation Chain", "ChatOpenAI"
"""The labels of the template's nodes."""
NOWHERE = "http://base-url-still-to-be-set.invalid"


@dataclass
class AtThePage:
    """Alice before her browser, with one chatflow.

    zep: where it remembers, None where that can't be reached from here. cleared: the id of the chat that was cleared.
    credential: the name of the Zep credential that she has, "" for none. token: what it holds.
    heard_before: how many answers had come when that token was first typed.
    """

    visit: Visit
    langflux: LangFlux
    belongings: Belongings
    zep: Zep | None = None
    chatflow: str = ""
    cleared: str = ""
    credential: str = ""
    token: str = ""
    heard_before: int = 0
    is_talking: bool = False

    @property
    def canvas(self) -> Canvas:
        """The canvas that the page shows."""
        return Canvas(self.visit)

    @property
    def window(self) -> ChatWindow:
        """The chat on that canvas."""
        return ChatWindow(self.visit)

    def open(self, chatflow: str) -> None:
        """Open a chatflow's canvas."""
        self.chatflow = chatflow
        self.canvas.open(chatflow)

    def made(self, chatflow: str) -> None:
        """She has made this chatflow, which is removed at the end."""
        self.chatflow = self.belongings.chatflow(self.langflux, chatflow)

    def talk(self) -> None:
        """Open the chat, unless it is open."""
        if not self.is_talking:
            self.window.open()
            self.is_talking = True

    def say(self, text: str) -> str:
        """Say something in the page's chat, and return the answer. What Zep then holds of it is removed at the end."""
        self.talk()
        answer = self.window.say(text)
        if self.zep is not None:
            for message in self.langflux.chat_messages(self.chatflow):
                self.belongings.session(self.zep, message.session_id)
        return answer


@pytest.fixture
def at_page(visit: Visit, langflux: LangFlux, belongings: Belongings, zep_if_given: Zep | None) -> AtThePage:
    """Alice has opened her browser."""
    return AtThePage(visit, langflux, belongings, zep_if_given)


@pytest.fixture
def deployed(deployment: Deployment) -> LangFluxServer:
    """The LangFlux under test, as it is deployed."""
    return needed(deployment.langflux, "a LangFlux")


# -- the marketplace and the canvas ---------------------------------------------------------------------------


@when("Alice opens the conversation chain template from the marketplace as a new canvas")
def open_documented_template(visit: Visit, langflux: LangFlux) -> None:
    """Its name in 2023 was another (documentation, “Use in LangFlux UI”, step 1)."""
    open_template(visit, *langflux.family.templates)


@then("the canvas has ChatOpenAI and Buffer Memory, both joined to the Conversation Chain")
def canvas_has_template(at_page: AtThePage) -> None:
    """Three nodes, two edges."""
    labels = at_page.canvas.labels()
    assert labels == [BUFFER_MEMORY, MODEL, CHAIN], f"on the canvas are {labels}"
    for label in (BUFFER_MEMORY, MODEL):
        at_page.canvas.see_joined(label, CHAIN)


@given("Alice has the credentials that she needs, and has opened the conversation chain template as a new canvas")
def open_with_credentials(at_page: AtThePage, run: Run, chatflows: Chatflows) -> None:
    """One for the model; one for Zep where it is secured. The canvas lists credentials when a node appears."""
    assert chatflows.model_credential_name
    token = chatflows.token
    if token is not None:
        chatflows.zep_credential(token, "zep-for-page")
        at_page.credential = f"{run.prefix}-zep-for-page"
    open_template(at_page.visit, *at_page.langflux.family.templates)


@when("she replaces Buffer Memory by Zep Memory on the canvas")
def replace_memory(at_page: AtThePage) -> None:
    """Delete the one, drag the other from the list of nodes, and join it (same section, step 2)."""
    at_page.canvas.remove(BUFFER_MEMORY)
    at_page.canvas.add(ZEP_MEMORY, search="Zep")
    at_page.canvas.join_memory(ZEP_MEMORY, CHAIN)


@when("she types the Base URL into it, and chooses its credential where Zep is secured")
def set_base_url(at_page: AtThePage, deployed: LangFluxServer) -> None:
    """The URL of Zep as LangFlux sees it."""
    at_page.canvas.type_base_url(deployed.zep_url)
    if at_page.credential:
        at_page.canvas.choose_credential(ZEP_MEMORY, at_page.credential)


@when("she points ChatOpenAI at the model server, and saves the chatflow")
def set_model_and_save(at_page: AtThePage, run: Run, deployed: LangFluxServer, chatflows: Chatflows) -> None:
    """Its credential, and the base path among its additional parameters."""
    at_page.canvas.choose_credential(MODEL, chatflows.model_credential_name)
    at_page.canvas.type_base_path(MODEL, deployed.model_url)
    at_page.made(at_page.canvas.save(f"{run.prefix}-by-hand"))


@then("the saved chatflow remembers in Zep Memory at that Base URL, and in no Buffer Memory")
def saved_flow_has_zep(at_page: AtThePage, deployed: LangFluxServer) -> None:
    """As LangFlux's API has it: the nodes, what was typed, and what the chain refers to."""
    flow = at_page.langflux.flow(at_page.chatflow)
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
def made_chatbot_remembers(at_page: AtThePage, chats: Chats, people: People, session_ids: SessionIds) -> None:
    """Asked over LangFlux's API, under a session id of her own."""
    person = people["Alice"]
    chat = Chat(at_page.chatflow, session=session_ids.new(person.user_id))
    chats.say(chat, f"Hi, my name is {person.name}")
    answer = chats.say(chat, "What is my name?")
    assert person.name in answer.text, f"the chatbot answers {answer.text!r}"


@given("a chatbot whose Base URL is still to be set is open in the page")
def open_unset(at_page: AtThePage, chatflows: Chatflows) -> None:
    """A chatflow of its own: it is about to be changed."""
    at_page.open(chatflows.new("unset", NOWHERE, token=chatflows.token))


@when("Alice types the Base URL into its Zep Memory, saves, and reloads the page")
def set_save_reload(at_page: AtThePage, deployed: LangFluxServer) -> None:
    """Same section, step 3."""
    at_page.canvas.type_base_url(deployed.zep_url)
    at_page.canvas.save()
    at_page.canvas.reload()


@then("the canvas shows Zep Memory with that Base URL")
def canvas_shows_saved(at_page: AtThePage, deployed: LangFluxServer) -> None:
    """Where it was saved to, and still joined to the chain."""
    found = at_page.canvas.base_url()
    assert found == deployed.zep_url, f"after the reload the Base URL is {found!r}"
    at_page.canvas.see_joined(ZEP_MEMORY, CHAIN)


# -- the chat -------------------------------------------------------------------------------------------------


@given("the documented chatbot is open in the page")
def open_documented(at_page: AtThePage, deployed: LangFluxServer, chatflows: Chatflows) -> None:
    """A chatflow of its own: its chat messages are about to be cleared."""
    at_page.open(chatflows.new("to-clear", deployed.zep_url, token=chatflows.token))


@given(parsers.parse('she has said "{text}" in the page\'s chat'))
@when(parsers.parse('she says "{text}" in the page\'s chat'))
def says_in_page(at_page: AtThePage, people: People, text: str) -> None:
    """Type it, and wait for the whole answer."""
    at_page.say(people.in_text(text))


@given(parsers.parse('asking "{text}" in the page\'s chat gives "{role}"'))
@then(parsers.parse('asking "{text}" in the page\'s chat gives "{role}"'))
def page_knows(at_page: AtThePage, people: People, text: str, role: str) -> None:
    """The name that only somebody who was told it can know."""
    answer = at_page.say(text)
    assert people[role].name in answer, (
        f"the page's chat does not know the name {people[role].name}: it answers {answer!r}"
    )


@when("she clears the chat history in the page")
def clear_in_page(at_page: AtThePage, enrichment: Enrichment) -> None:
    """With the button, and its confirmation; after everything has settled (DEV-1)."""
    if at_page.zep is not None:
        for message in at_page.langflux.chat_messages(at_page.chatflow)[-1:]:
            enrichment.settle(at_page.zep, message.session_id)
    at_page.cleared = at_page.window.ids()[-1]
    at_page.window.clear()
    at_page.is_talking = False


@then("the page's chat shows nothing that was said")
def page_shows_nothing(at_page: AtThePage) -> None:
    """When it is opened again."""
    at_page.talk()
    said = at_page.window.said()
    assert said == [], f"the cleared chat still shows {said}"


@then(parsers.parse('asking "{text}" in the page\'s chat shows no memory of the old conversation'))
def page_has_forgotten(at_page: AtThePage, people: People, text: str) -> None:
    """Her name is not in the answer."""
    answer = at_page.say(text)
    assert people["Alice"].name not in answer, f"the cleared chat still remembers: {answer!r}"


@then("LangFlux lists no chat messages of the cleared chat")
def cleared_chat_is_empty(at_page: AtThePage) -> None:
    """Asked over its API, by the chat id that the page had sent; before anything else is said, since a chat window that
    is opened again at once goes on under that same id."""
    listed = at_page.langflux.chat_messages(at_page.chatflow, chatId=at_page.cleared)
    assert listed == [], f"LangFlux still lists {len(listed)} chat messages of the cleared chat"


# -- credentials ----------------------------------------------------------------------------------------------


@given("a chatbot in front of the secured Zep has no credential on its Zep node")
def without_credential(at_page: AtThePage, run: Run, secured_zep: Zep, chatflows: Chatflows) -> None:
    """A chatflow of its own: it is about to be changed."""
    at_page.zep = secured_zep
    secured = needed(run.deployment.secured, "a secured Zep")
    at_page.chatflow = chatflows.new("no-credential", secured.url_from_langflux)
    at_page.token = needed(secured.token, "the JWT")


@when("Alice adds a credential for Zep that holds the JWT on the page of credentials")
def add_credential(at_page: AtThePage, run: Run) -> None:
    """Documentation, “Zep Authentication”, step 3: the JWT goes into the field for the API key."""
    page = CredentialsPage(at_page.visit)
    page.open()
    at_page.credential = f"{run.prefix}-by-hand"
    at_page.heard_before = len(at_page.visit.heard)
    added = page.add_zep(at_page.credential, at_page.token)
    at_page.belongings.credential(at_page.langflux, added)
    page.listed(at_page.credential)


@when("she chooses it on the chatbot's Zep node, and saves the chatflow")
def choose_credential(at_page: AtThePage) -> None:
    """Same section, step 4. Reloaded, so that the chat is that of what was saved."""
    at_page.open(at_page.chatflow)
    at_page.canvas.choose_credential(ZEP_MEMORY, at_page.credential)
    at_page.canvas.save()
    at_page.canvas.reload()


@when("she opens the credential again")
def open_credential(at_page: AtThePage) -> None:
    """To edit it, from the list of credentials."""
    page = CredentialsPage(at_page.visit)
    page.open()
    page.edit(at_page.credential)


@then("the token is not on the page, and LangFlux has not sent it to the browser")
def token_not_shown(at_page: AtThePage) -> None:
    """Neither the token nor its signature: not in the HTML, in no field, in no answer since it was typed."""
    signature = at_page.token.rpartition(".")[2]
    at_page.visit.all_heard()
    assert signature not in at_page.visit.everything_shown(), "the page shows the token"
    for heard in at_page.visit.heard[at_page.heard_before :]:
        assert heard.answer != UNREAD, f"the answer to {heard.method} {heard.url} could not be looked at"
        assert signature not in heard.answer, f"the answer to {heard.method} {heard.url} has the token in it"
