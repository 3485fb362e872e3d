Feature: Conversations are kept apart
  The documentation, introduction: a chatbot remembers conversations between different users by their session ids.

  @SESSION-1
  Scenario: Two sessions do not mix
    Given Alice has written "my name is Alice" to a session
    And Bob has written "my name is Bob" to another session
    Then the session of Alice holds only what Alice has written
    And the session of Bob holds only what Bob has written

  @SESSION-1
  Scenario: Session ids that differ only in case are different sessions
    Given Alice has written "my name is Alice" to a session
    Then the same session id in capitals has no memory

  @SESSION-1
  Scenario: Sessions that begin alike do not mix
    Given Alice has written "my name is Alice" to a session
    And Bob has written "my name is Bob" to a session whose id begins with that of Alice
    Then the session of Alice holds only what Alice has written
    And the session of Bob holds only what Bob has written

  @SESSION-1
  Scenario: Sessions that are written to at the same time do not mix
    When 8 users write 5 messages each to a session of their own, all at the same time
    Then each session holds its own messages, each once and in order

  @SESSION-2
  Scenario Outline: Any string serves as a session id
    When a message is written to a session whose id has <something> in it
    Then it is remembered under that id, and under no other

    Examples:
      | something          |
      | a space            |
      | a dot and an at    |
      | a colon            |
      | a question mark    |
      | a number sign      |
      | a percent sign     |
      | a plus sign        |
      | an ampersand       |
      | a slash            |
      | Chinese letters    |
      | Cyrillic letters   |
      | an emoji           |
      | 200 characters     |

  @SESSION-2
  Scenario Outline: A session that was made as a record is the same session in a path
    When a session record is made whose id has <something> in it
    Then the record can be fetched by that id

    Examples:
      | something        |
      | a dot and a dash |
      | a space          |
      | Chinese letters  |

    @DEV-9
    Examples:
      | something       |
      | a slash         |
      | a dot and an at |
      | a colon         |

  @SESSION-3
  Scenario: A cleared session is empty at once
    Given a conversation of 4 messages has been written to a session
    And they have all been enriched
    When the session is cleared
    Then its memory, its messages and a search in it are empty at once

  @SESSION-3
  Scenario: A cleared session has no summary either
    Given a conversation that fills the window has been written to a session
    And they have all been enriched
    And its summary has come
    When the session is cleared
    Then its memory, its messages and a search in it are empty at once

  @SESSION-3
  Scenario: A cleared session that is used again starts empty
    Given a conversation of 4 messages has been written to a session
    And they have all been enriched
    And the session is cleared
    When another message is written to the session
    Then its memory holds that message only

  @SESSION-3
  Scenario: Clearing one session leaves the others alone
    Given Alice has written "my name is Alice" to a session
    And Bob has written "my name is Bob" to another session
    And what Alice has written has been enriched
    When the session of Alice is cleared
    Then the session of Bob holds only what Bob has written

  @CLEAR-3 @DEV-17 @needs-control
  Scenario: What was cleared is removed for good when Zep starts
    Given a message has been written to a session under a uuid of the client's own
    And they have all been enriched
    And the session is cleared
    When Zep is stopped and is started again
    Then another message can be written under that uuid

  @SESSION-3
  Scenario: There is nothing to clear in a session that nobody has written to
    When a session that does not exist is cleared
    Then the answer is 404, and says why

  @SESSION-4
  Scenario: A user's sessions are listed
    Given Alice and Bob are users with 2 sessions each
    Then the sessions of Alice are listed, and none of Bob's

  @SESSION-4
  Scenario: A user's sessions go when the user is deleted
    Given Alice and Bob are users with 2 sessions each
    And what was written to their sessions has been enriched
    When the user Alice is deleted
    Then the sessions of Alice are gone, records and memory
    And the sessions of Bob are still there
