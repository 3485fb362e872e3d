Feature: Parts that fail and come back
  Not written down; what a user of a store may expect: what was acknowledged is not lost, what could not be done is
  said, and nobody has to restart anything.

  @FAULT-1 @ENRICH-1
  Scenario: With the NLP server down writes succeed at once
    Given the NLP server is down
    When Alice writes "Hi, my name is Alice and I live in Lisbon" to a session
    Then the session of Alice holds only what Alice has written

  @FAULT-1 @ENRICH-1
  Scenario: What was written with the NLP server down is enriched when it returns
    Given the NLP server is down
    And Alice has written "Hi, my name is Alice and I live in Lisbon" to a session
    And the session of Alice holds only what Alice has written
    When the NLP server is back
    Then zep-nlp embeds it: it can be found by searching
    And the entity "Alice" appears in the system metadata of her message

  @FAULT-1 @ENRICH-2
  Scenario: With the model down writes succeed at once
    Given the model is down
    When Alice writes "Could you book a table for two people tomorrow?" to a session
    Then the session of Alice holds only what Alice has written

  @FAULT-1 @ENRICH-2
  Scenario: What was written with the model down is enriched when it returns
    Given the model is down
    And Alice has written "Could you book a table for two people tomorrow?" to a session
    And the session of Alice holds only what Alice has written
    When the model is back
    Then an intent appears in the system metadata of her message

  @FAULT-1 @ENRICH-2 @DEV-20
  Scenario: What the model has refused for a while is enriched when it no longer does
    Given Alice has written what the model refuses 6 times
    Then an intent appears in the system metadata of her message

  @FAULT-2
  Scenario: With PostgreSQL down nothing is acknowledged
    Given Alice has written "Hi, my name is Alice" to a session
    And PostgreSQL is down
    When she tries to write "Are you still there?" to it
    Then the write is refused, and says something

  @FAULT-2
  Scenario: Everything acknowledged is there when PostgreSQL returns
    Given Alice has written "Hi, my name is Alice" to a session
    And PostgreSQL is down
    And she has tried in vain to write "Are you still there?" to it
    When PostgreSQL is back
    Then writing "Hello again" to it works again, without a restart of Zep
    And the session of Alice has every message that was acknowledged, once and in order, and nobody else's

  @FAULT-3
  Scenario: With Zep down a prediction fails and says so
    Given Alice talks under a session id made of her user id and the time
    And she has said "Hi, my name is Alice"
    And Zep is down
    When she says "Are you still there?", whatever comes of it
    Then the prediction fails, and says something

  @FAULT-3
  Scenario: A conversation goes on where it was when Zep is back
    Given Alice talks under a session id made of her user id and the time
    And she has said "Hi, my name is Alice"
    And Zep is down
    And she has said "Are you still there?", whatever came of it
    When Zep is back
    And she asks "What is my name?"
    Then the answer says "Alice"

  @FAULT-2
  Scenario: PostgreSQL crashes while people write
    When 4 people write to a session each while PostgreSQL crashes and comes back
    Then each session has every message that was acknowledged, once and in order
    And some messages were acknowledged before the crash and some after it
