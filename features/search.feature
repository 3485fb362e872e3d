Feature: Zep finds what was said
  The documentation, introduction: Zep embeds and indexes chatbot histories.

  @SEARCH-1
  Scenario: The closest message comes first
    Given a conversation about several things has been written to a session
    And it can be searched
    When it is searched for the text of one of its messages
    Then that message comes first

  @SEARCH-1
  Scenario: Other words find the message that shares the most with them
    Given a conversation about several things has been written to a session
    And it can be searched
    When it is searched for part of one of its messages
    Then that message comes first

  @SEARCH-2
  Scenario: Search stays inside its session
    Given a conversation about several things has been written to a session
    And the same conversation with other words has been written to another session
    And both can be searched
    When the other session is searched for the text of one of the first one's messages
    Then only messages of the other session are found

  @SEARCH-2 @reads-only
  Scenario: Nothing is found in a session that nobody has written to
    When a session that does not exist is searched
    Then nothing is found

  @SEARCH-2
  Scenario Outline: No more is found than was asked for
    Given a conversation about several things has been written to a session
    And it can be searched
    When it is searched with limit <limit>
    Then <limit> messages are found

    Examples:
      | limit |
      | 1     |
      | 2     |
      | 4     |

  @SEARCH-2
  Scenario: Maximal marginal relevance brings what is close, and spares what repeats
    Given a conversation that says one thing three times and another once has been written to a session
    And it can be searched
    When it is searched for that thing by relevance alone, for 2 messages
    And it is searched for that thing by maximal marginal relevance, for 2 messages
    Then relevance alone brings the repetition
    But maximal marginal relevance brings the other thing too

  @SEARCH-2
  Scenario: A metadata filter lets through only what matches
    Given messages about "travel" and about "food" have been written to a session, so marked in their metadata
    And it can be searched
    When it is searched for anything marked "food"
    Then only messages marked "food" are found

  @SEARCH-2
  Scenario: The scope is messages or summaries
    Given a conversation that fills the window has been written to a session
    And its summary has come
    When its summaries are searched for who it was about
    Then the summary is found, and no message

  @SEARCH-3 @needs-meaning
  Scenario Outline: Search finds by meaning, with no word in common
    Given a conversation in which somebody says "<said>" has been written to a session
    And it can be searched
    When it is searched for "<asked>", with which that has no word in common
    Then what was said about it comes first

    Examples:
      | said                                           | asked                               |
      | We adopted two cats and an elderly dog         | Which pets does the family own?     |
      | Our daughter was born last spring              | Do they have a child?               |
      | Peanuts make my throat swell up                | allergic to any food?               |
      | I quit smoking and started jogging before work | healthier habits, regular exercise? |
