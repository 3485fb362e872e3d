Feature: Errors that tell no secrets
  Not written down; what an operator may expect: whoever makes a mistake, or asks while something is broken, learns what
  went wrong, and neither a token nor a password nor how the server is made.

  @ERRORS-1
  Scenario: What goes wrong in Zep is told without a secret
    Given a conversation of 2 messages has been written to a session
    When everything is asked of Zep in wrong ways
    Then no error gives anything away

  @ERRORS-1 @needs-control
  Scenario: What goes wrong while Zep's database is down is told without a secret
    Given Alice has written "Hi, my name is Alice" to a session
    And PostgreSQL is down
    When she tries to write "Are you still there?" to it
    Then the answer gives nothing away

  @ERRORS-1 @needs-langflux @needs-build
  Scenario: What goes wrong in LangFlux is told without a secret
    Given a chatbot whose Zep is not there has a credential for it
    When everything is asked of LangFlux in wrong ways
    Then no error gives anything away
