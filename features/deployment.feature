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

  @DEPLOY-4
  Scenario: With ZEP_OPENAI_API_KEY set Zep comes up and remembers
    Given Zep is stopped
    When it is started with ZEP_OPENAI_API_KEY set, as in the documented .env
    Then it is healthy
    And it remembers: a conversation can be written and read

  @DEPLOY-5
  Scenario: Without ZEP_OPENAI_API_KEY Zep does not start, and says why
    Given Zep is stopped
    When it is started without ZEP_OPENAI_API_KEY
    Then it does not come up
    And its log names ZEP_OPENAI_API_KEY

  @DEPLOY-6 @needs-elsewhere @reads-only
  Scenario: Zep's port can be reached from another host
    When the doctor looks at Zep
    Then it gets an answer over HTTP

  @DEPLOY-6 @needs-network
  Scenario: A port that a firewall drops is told from one that nobody listens on
    Given a firewall drops what is sent to Zep
    When the doctor looks at Zep
    Then it says firewall, and not that Zep is down

  @DEPLOY-6 @needs-network
  Scenario: A port that nobody listens on is told from one that a firewall drops
    Given Zep is stopped
    When the doctor looks at Zep
    Then it says that Zep is down, and not firewall
