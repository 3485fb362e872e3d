Feature: A chatbot that is used through LangFlux's API remembers
  The documentation, “Use in LangFlux API”: with sessionId conversations of different users are kept apart; it can be
  made of a user id and a timestamp, and a new timestamp begins a new conversation.

  @API-1
  Scenario: The chatbot remembers under the session id of the request
    Given Alice talks under a session id made of her user id and the time
    And she has said "Hi, my name is Alice"
    When she asks "What is my name?"
    Then the answer says "Alice"
    And Zep has both sides of the conversation under exactly that session id

  @SESSION-2 @API-1
  Scenario Outline: The chatbot remembers under any session id
    Given Alice talks under a session id with <something> in it
    And she has said "Hi, my name is Alice"
    When she asks "What is my name?"
    Then the answer says "Alice"
    And Zep has both sides of the conversation under exactly that session id

    Examples:
      | something        |
      | a dot and a dash |
      | a space          |
      | a number sign    |
      | a question mark  |
      | Chinese letters  |

    @DEV-13
    Examples:
      | something      |
      | a percent sign |

    @DEV-2
    Examples:
      | something |
      | a slash   |

    @DEV-2 @DEV-9
    Examples:
      | something       |
      | a dot and an at |
      | a plus sign     |

  @API-1 @DEV-3
  Scenario: An empty session id is refused, since nothing could be remembered under it
    When somebody talks under an empty session id
    Then the prediction is refused, and says why

  @API-2
  Scenario: Users who talk at the same time never see each other's conversation
    When 6 users tell the chatbot their names and ask for them, all at the same time
    Then each is told their own name and nobody else's

  @API-3
  Scenario: A new timestamp starts a new conversation for the same user
    Given Alice talks under a session id made of her user id and the time
    And she has said "Hi, my name is Alice"
    When she clears the chat, which makes a new session id with the same user id and a new time
    Then asking "What is my name?" shows no memory of the old conversation
    And under the old session id she is still remembered

  @API-4 @needs-build
  Scenario Outline: Which id is the session
    Given a chatbot whose Zep Memory node has a Session Id of its own
    When a question is asked with <given>
    Then the session is that of <session>

    Examples:
      | given                       | session                |
      | a session id                | the session id         |
      | a session id and a chat id  | the session id         |
      | a chat id                   | the chat id            |
      | neither                     | the node's Session Id  |

  @API-5
  Scenario: What was said in a streamed prediction is remembered
    Given Alice talks under a session id made of her user id and the time
    And she has said "Hi, my name is Alice", and the answer was streamed
    When she asks "What is my name?"
    Then the answer says "Alice"

  @API-5
  Scenario: A streamed prediction remembers as a plain one does
    Given Alice talks under a session id made of her user id and the time
    And she has said "Hi, my name is Alice"
    When she asks "What is my name?", and the answer is streamed
    Then the answer says "Alice"
    And the stream began, came in pieces and ended

  @API-6
  Scenario: Chat messages are listed per session
    Given Alice and Bob have each told the chatbot their name under their own session id
    Then listing the chat messages by the session id of Alice gives her conversation only

  @API-6
  Scenario: Deleting chat messages by session and chat clears Zep's memory
    Given Alice talks under a session id made of her user id and the time
    And she has said "Hi, my name is Alice"
    When her chat messages are deleted by session id and chat id
    Then no chat messages are listed for her session
    And asking "What is my name?" shows no memory of the old conversation

  @API-6
  Scenario: Deleting one conversation leaves the others of the chatbot alone
    Given Alice and Bob have each told the chatbot their name under their own session id
    When her chat messages are deleted by session id and chat id
    Then no chat messages are listed for her session
    But listing the chat messages by the session id of Bob gives his conversation only

  @API-6 @DEV-4
  Scenario: Deleting chat messages by session alone clears Zep's memory
    Given Alice talks under a session id made of her user id and the time
    And she has said "Hi, my name is Alice"
    When her chat messages are deleted by session id
    Then no chat messages are listed for her session
    And asking "What is my name?" shows no memory of the old conversation

  @API-7 @DEV-10 @needs-build @needs-zep
  Scenario: A turn that can't be remembered is not reported as a success
    Given Alice talks under a session id made of her user id and the time
    When she says something that is too long for Zep to take
    Then the prediction fails, since the turn was not remembered

  @UI-5 @DEV-6
  Scenario: Without a session id the first chat message's id is the session id
    When Alice says "Hi, my name is Alice" without any session id
    Then the session id is the first chat message's id

  @UI-5
  Scenario: A cleared chat starts again under a new session id
    Given Alice has said "Hi, my name is Alice" without any session id
    And asking "What is my name?" in the same chat gives "Alice"
    When she clears the chat history
    Then every chat message of that chat is deleted
    And asking "What is my name?" anew gives a new session id and no memory of the old conversation
