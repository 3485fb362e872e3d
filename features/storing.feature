Feature: Zep stores the conversations of a chatbot
  The documentation, introduction: Zep stores, summarizes, embeds, indexes and enriches chatbot histories.

  @STORE-1
  Scenario: Messages come back unchanged and in order
    Given a conversation of 8 messages has been written to a session
    When the session's memory is read
    Then it holds exactly those messages, in that order

  @STORE-1
  Scenario: Later messages come after earlier ones
    Given a conversation of 4 messages has been written to a session
    And 3 more messages have been written to it, one at a time
    When the session's memory is read
    Then it holds exactly those messages, in that order

  @STORE-1
  Scenario Outline: Text of every kind comes back as it was written
    Given a message made of <kind> has been written to a session
    When the session's memory is read
    Then it holds exactly those messages, in that order

    Examples:
      | kind                   |
      | letters of six scripts |
      | emoji                  |
      | line breaks and tabs   |
      | quotes and backslashes |
      | markup                 |
      | 20000 characters       |
      | nothing but spaces     |

  @STORE-2
  Scenario: A message carries a uuid, a creation time and its own metadata
    Given a message with its own metadata has been written to a session
    When the session's messages are listed
    Then each has a uuid of its own and a creation time of today
    And the message has the metadata it was written with

  @STORE-2 @DEV-16
  Scenario: What is changed in a message's metadata while Zep enriches it stays changed
    Given a conversation of 2 messages has been written to a session
    When a field is added to the metadata of both again and again, until Zep has enriched them
    Then every field that was added is there

  @STORE-2 @DEV-5
  Scenario: A message has a token count, and keeps it
    Given a conversation of 4 messages has been written to a session
    When they have all been enriched
    Then each message has a token count

  @STORE-3
  Scenario Outline: The history outlives a restart and a crash of Zep
    Given a conversation of 6 messages has been written to a session
    When Zep <ends> and is started again
    And the session's memory is read
    Then it holds exactly those messages, in that order
    And another message can be written to it

    Examples:
      | ends       |
      | is stopped |
      | crashes    |

  @STORE-4
  Scenario Outline: lastn returns exactly the newest messages
    Given a conversation of 7 messages has been written to a session
    When the newest <n> messages of its memory are read
    Then they are the newest <expected> messages, in that order

    Examples:
      | n   | expected |
      | 1   | 1        |
      | 2   | 2        |
      | 6   | 6        |
      | 7   | 7        |
      | 100 | 7        |

  @LATENCY-1 @comes-first
  Scenario: Writing and reading do not wait for enrichment
    When 25 messages are written to a session and read, one after the other
    Then the 95th percentile of writing and of reading is inside the budget

  @LATENCY-2 @DEV-15 @comes-first
  Scenario: Turns of a chat do not keep the readers of other sessions waiting
    Given Bob has written "my name is Bob" to a session
    When 8 users write 3 turns of a chat each, six messages in one request, one after the other
    Then until they are enriched the session of Bob can be read all the time

  @LOAD-2 @DEV-15 @comes-last
  Scenario: A burst of imports does not keep the readers of other sessions waiting
    Given Bob has written "my name is Bob" to a session
    When 30 conversations of 12 messages are written, each in one request, all at the same time
    Then until they are enriched the session of Bob can be read all the time

  @LOAD-1
  Scenario: Many users at once
    When many users write 6 messages each to a session of their own, all at the same time
    Then each session holds its own messages, each once and in order
