Feature: Zep enriches messages
  The documentation, introduction. Enrichment is asynchronous: it arrives after the write has been acknowledged.

  @ENRICH-1
  Scenario: Named entities appear in a message's metadata
    Given Alice has written "Hi, my name is Alice and I live in Lisbon" to a session
    Then the entity "Alice" appears in the system metadata of her message

  @ENRICH-2
  Scenario: The intent of a message appears in its metadata
    Given Alice has written "Could you book a table for two people tomorrow?" to a session
    Then an intent appears in the system metadata of her message

  @ENRICH-1
  Scenario: A writer can't forge what Zep found out
    Given Alice has written "Hi, my name is Alice and I live in Lisbon" to a session
    And the entity "Alice" appears in the system metadata of her message
    When somebody sets the system metadata of her message to something else
    Then the entity "Alice" is still in the system metadata of her message

  @ENRICH-3 @DEV-1
  Scenario: Clearing one conversation does not delay the enrichment of another
    Given it has been measured how long the enrichment of a message takes
    When a conversation is cleared right after its last message was written
    Then the enrichment of another conversation takes about as long as before
