Feature: A deployed Zep
  The documentation, “Deploy Zep”: three applications, of which zep has the URL that LangFlux is given.

  @DEPLOY-1 @reads-only
  Scenario: The URL answers with a healthy Zep of a supported version
    When GET /healthz is asked for
    Then the answer is 200
    And it says that it is a Zep of version 0.20 or later, and not 1.x

  @DEPLOY-2
  Scenario: Zep, its NLP server and its database work together
    Given Alice has written "Hi, my name is Alice and I live in Lisbon" to a session
    Then zep-postgres keeps it: the session of Alice holds only what Alice has written
    And zep-nlp embeds it: it can be found by searching
    And zep-nlp finds names in it: the entity "Alice" appears in the system metadata of her message

  @DEPLOY-2 @reads-only
  Scenario: Zep's database and its NLP server answer a question
    When a session that does not exist is read and searched
    Then both answers are empty, and neither is an error
