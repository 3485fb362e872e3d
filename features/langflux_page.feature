Feature: A chatbot that is made and used in LangFlux's page remembers
  The documentation, “Use in LangFlux UI”: open the Simple Conversational Chain template, replace Buffer Memory with Zep
  Memory, set the Base URL, save, try it out, clear the chat history; and “Zep Authentication”: add a credential.

  @UI-1
  Scenario: The template opens from the marketplace as a new canvas
    When Alice opens the conversation chain template from the marketplace as a new canvas
    Then the canvas has ChatOpenAI and Buffer Memory, both joined to the Conversation Chain

  @UI-2 @needs-build
  Scenario: Buffer Memory is replaced by Zep Memory, and the Base URL set
    Given Alice has the credentials that she needs, and has opened the conversation chain template as a new canvas
    When she replaces Buffer Memory by Zep Memory on the canvas
    And she types the Base URL into it, and chooses its credential where Zep is secured
    And she points ChatOpenAI at the model server, and saves the chatflow
    Then the saved chatflow remembers in Zep Memory at that Base URL, and in no Buffer Memory
    And a chatbot made so remembers what it is told

  @UI-3 @needs-build
  Scenario: A saved chatflow is there after a reload
    Given a chatbot whose Base URL is still to be set is open in the page
    When Alice types the Base URL into its Zep Memory, saves, and reloads the page
    Then the canvas shows Zep Memory with that Base URL

  @UI-3 @needs-build
  Scenario: The chat of a saved chatflow remembers after a reload
    Given a chatbot whose Base URL is still to be set is open in the page
    And Alice has typed the Base URL into its Zep Memory, saved, and reloaded the page
    When she says "Hi, my name is Alice" in the page's chat
    Then asking "What is my name?" in the page's chat gives "Alice"

  @UI-4 @CLEAR-2 @needs-build
  Scenario: Clearing the chat history deletes every chat message, and the chatbot has forgotten
    Given the documented chatbot is open in the page
    And she has said "Hi, my name is Alice" in the page's chat
    And asking "What is my name?" in the page's chat gives "Alice"
    And Bob has told that chatbot "Hi, my name is Alice" through LangFlux's API
    When she clears the chat history in the page
    Then LangFlux lists no chat messages of the cleared chat
    And the page's chat shows nothing that was said
    And asking "What is my name?" in the page's chat shows no memory of the old conversation
    But everything else is as it was

  @AUTH-8 @needs-build
  Scenario: A credential for Zep is added in the page, and works on the Zep node
    Given a chatbot in front of the secured Zep has no credential on its Zep node
    When Alice adds a credential for Zep that holds the JWT on the page of credentials
    And she chooses it on the chatbot's Zep node, and saves the chatflow
    And she says "Hi, my name is Alice" in the page's chat
    Then asking "What is my name?" in the page's chat gives "Alice"

  @AUTH-8 @needs-build
  Scenario: The token of a credential that was added in the page is never shown again
    Given a chatbot in front of the secured Zep has no credential on its Zep node
    And Alice has added a credential for Zep that holds the JWT on the page of credentials
    And she has chosen it on the chatbot's Zep node, and saved the chatflow
    And she has said "Hi, my name is Alice" in the page's chat
    When she opens the credential again
    Then the token is not on the page, and LangFlux has not sent it to the browser
