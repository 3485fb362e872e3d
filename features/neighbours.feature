Feature: Clearing and deleting touch nothing else
  Nobody wrote it down, and everybody relies on it: who clears a conversation means that one. All that lies around it is
  looked at before and after, whole answers of it; most of it has ids that begin alike, and all of it has the same text.

  @CLEAR-1
  Scenario: Clearing a session leaves every other as it was
    Given a session of the user Alice, and these around it with the same text:
      | session                    |
      | written to before it       |
      | written to after it        |
      | of the same user           |
      | with a longer id           |
      | with a shorter id          |
      | with its id in capitals    |
      | cleared before it          |
    And all of it has been enriched
    When the session of Alice is cleared among them, and written to again
    Then it begins anew
    And everything else is as it was

  @CLEAR-1 @needs-model
  Scenario: Clearing a session leaves the summary of another as it was
    Given a conversation that fills the window has been written to a session
    And they have all been enriched
    And its summary has come
    When another session with the same text is cleared
    Then everything else is as it was

  @CLEAR-1
  Scenario: Deleting a user leaves every other user and session as they were
    Given a user with a session, and these around her with the same text:
      | user or session                        |
      | a user who was there before            |
      | a user who came after                  |
      | a user with a longer id                |
      | a user with a shorter id               |
      | a user with her id in capitals         |
      | a session of nobody under her id       |
      | a session of nobody that begins so     |
    And all of it has been enriched
    When that user is deleted
    Then everything else is as it was

  @CLEAR-2
  Scenario: Clearing a chat leaves every other as it was
    Given three chats with a chatbot, and these around them with the same text:
      | chat                                       |
      | with longer ids                            |
      | with shorter ids                           |
      | with its ids in capitals                   |
      | under another session in the same chat     |
      | under the same session in another chat     |
    When the first is cleared by chat id, the second by session id, the third by both, and they are gone on with
    Then the lists of the three begin anew
    And everything else is as it was
