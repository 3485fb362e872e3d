Feature: Malformed requests
  Not written down; what a user of a store may expect: a mistake is answered by a 4xx that says why, changes
  nothing, and the server goes on.

  @BADINPUT-1
  Scenario Outline: A malformed write is refused and changes nothing
    Given a conversation of 2 messages has been written to a session
    When <what> is posted to its memory
    Then the answer is a 4xx that says why
    And the session's memory is as it was

    Examples:
      | what                        |
      | text that is no JSON        |
      | nothing at all              |
      | a list                      |
      | messages that are no list   |
      | a message without text type |
      | a message with a bad uuid   |

    @DEV-11
    Examples:
      | what                           |
      | a message whose uuid is in use |

  @BADINPUT-1
  Scenario Outline: A malformed question is refused
    Given a conversation of 2 messages has been written to a session
    When it is asked for <what>
    Then the answer is a 4xx that says why

    Examples:
      | what                           |
      | the newest "abc" messages      |
      | a message by "not-a-uuid"      |
      | a search with limit "abc"      |

    @DEV-12
    Examples:
      | what                     |
      | a page of "abc" messages |

    @DEV-8
    Examples:
      | what                            |
      | a message by a uuid nobody uses |

    @DEV-11
    Examples:
      | what                       |
      | the newest "-1" messages   |
      | a search for nothing       |
      | a search in scope "bogus"  |
      | a session without an id    |

  @BADINPUT-1
  Scenario: A body that is too large is refused
    When a message of 6 million characters is posted to a session
    Then the answer is a 4xx that says why
    And the session has no memory

  @BADINPUT-1
  Scenario: The server goes on after a series of mistakes
    When 20 malformed requests have been made
    Then a conversation of 2 messages can be written and read
