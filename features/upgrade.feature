Feature: Another version on the same store
  "May I upgrade?" Not written down; what a user of a store may expect: a deployment that was used is brought to rest
  and stopped, another version is started on what it has stored, and nobody who talks to it can tell.

  Background:
    Given people have used the deployment, and everything is enriched

  @UPGRADE-1 @comes-last
  Scenario: Every message is there after an upgrade of Zep, to the letter
    When Zep is stopped, and another version of it is started on the same store
    Then each session has the messages that it had, to the letter and in order
    And each memory is what it was

  @UPGRADE-2 @comes-last
  Scenario: Sessions and users are who they were after an upgrade of Zep
    When Zep is stopped, and another version of it is started on the same store
    Then each session and each user has the record that it had
    And each user has the sessions that were the user's own

  @UPGRADE-2 @comes-last
  Scenario: What was cleared or deleted does not come back with another version
    When Zep is stopped, and another version of it is started on the same store
    Then the cleared session has no memory and no messages, and nothing is found in it
    And the deleted user is not there, nor is the session of that user

  @UPGRADE-3 @comes-last
  Scenario: A summary stays over an upgrade of Zep, and the next one builds on it
    When Zep is stopped, and another version of it is started on the same store
    Then each summary is what it was
    And when a summarised conversation goes on, the next summary says who it is about

  @UPGRADE-4 @comes-last
  Scenario: What could be found by searching is found after an upgrade of Zep
    When Zep is stopped, and another version of it is started on the same store
    Then each message is found by its text in its own session, and nothing of anybody else
    And what is written now is found as well

  @UPGRADE-5 @comes-last
  Scenario: Tokens stay good over an upgrade of Zep, and nobody else is let in
    When the secured Zep is stopped, and another version of it is started on the same store
    Then the token from before reads what was written with it
    And without a token, or with one made with another secret, nobody is let in

  @UPGRADE-6 @comes-last
  Scenario: Chats go on where they were over an upgrade of Zep
    When Zep is stopped, and another version of it is started on the same store
    Then in each chat the chatbot still knows its own user's name, and nobody else's
    And in the cleared chat it knows no name

  @UPGRADE-7 @DEV-19 @comes-last @needs-build
  Scenario: An API key stays good over an upgrade of LangFlux
    When LangFlux is stopped, and another version of it is started on the same folder
    Then the API key from before is still let in

  @UPGRADE-7 @comes-last @needs-build
  Scenario: Chatflows, credentials and chat messages stay over an upgrade of LangFlux
    When LangFlux is stopped, and another version of it is started on the same folder
    Then each chatflow has the nodes and settings that it had
    And each credential is listed as it was
    And each chat message is listed as it was

  @UPGRADE-7 @comes-last @needs-build
  Scenario: Chats go on where they were over an upgrade of LangFlux
    When LangFlux is stopped, and another version of it is started on the same folder
    Then in each chat the chatbot still knows its own user's name, and nobody else's
    And in the cleared chat it knows no name

  @UPGRADE-7 @comes-last @needs-build @needs-auth
  Scenario: A credential for a secured Zep still lets in after an upgrade of LangFlux
    When LangFlux is stopped, and another version of it is started on the same folder
    Then in the chat before the secured Zep the chatbot still knows its user's name

  @UPGRADE-8 @comes-last
  Scenario: Back on the version before, what was written meanwhile is there, too
    When Zep is stopped, and another version of it is started on the same store
    And a conversation is written to that version, and Zep is started as the version before again
    Then each session has the messages that it had, to the letter and in order
    And the conversation that was written meanwhile is there
