Feature: Zep summarises what a conversation was about
  The documentation, introduction. When the messages since the last summary reach the window, the older half of
  them is summarised and the newer half stays.

  @SUMMARY-1
  Scenario: No summary comes one message before the window is reached
    Given a conversation one message short of the window has been written to a session
    When they have all been enriched
    Then the session has no summary

  @SUMMARY-1
  Scenario: A summary comes when the window is reached
    Given a conversation one message short of the window has been written to a session
    And they have all been enriched
    When one more message is written to it
    Then a summary comes, and the newest half of the window stays

  @SUMMARY-2
  Scenario: The summary names the newest message that it covers
    Given a conversation that fills the window has been written to a session
    When its summary has come
    Then the summary names the message before those that stay
    And the summary says who it was about

  @SUMMARY-2
  Scenario: The next summary builds on the one before, and no message is lost
    Given a conversation that fills the window has been written to a session
    And its summary has come
    When half a window more is written to it
    Then the next summary comes, and names the message before those that stay
    And the summary says who it was about
    And listing the session's messages gives every one of them, in order
    And its newest messages can be read beyond the summary

  @SUMMARY-3
  Scenario: A summary belongs to its session, and goes with it
    Given conversations that fill the window have been written by Alice and by Bob
    And each has a summary that says who it was about
    When the session of Alice is cleared, and a message is written to it
    Then it has no summary, nor is one found in it
    And the session of Bob has its summary as before
