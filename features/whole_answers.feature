Feature: Answers are whole, and what was written
  Zep's own documentation says what a message, a session, a user and a search result have. Each answer is compared to the
  last field: what was written comes back as it was written, what Zep made up stays as it is, and nothing else is there.

  @STORE-1
  Scenario: Texts that a careless store changes come back to the letter
    Given messages whose texts a careless store would change have been written to a session
    When its memory and the list of its messages are read
    Then each answer is whole, and what was written

  @STORE-4
  Scenario: However many messages are written at once, lastn counts each of them
    Given 1, 30 and then 2 messages have been written to a session
    When the newest 1, 2, 3, 12, 21, 32 and 33 of them are read
    Then each answer is whole, and what was written

  @META-1
  Scenario Outline: Metadata of every kind come back as they were written
    Given <owner> with metadata of every kind
    When some of these metadata are changed, and some are added
    Then each answer is whole, and what was written

    Examples:
      | owner     |
      | messages  |
      | a session |
      | a user    |

  @META-1 @DEV-21
  Scenario Outline: Records that are changed at the same time are all changed
    Given 8 users have <a record> each
    When each of them changes its metadata 12 times, all at the same time
    Then every change is answered, and none is missing

    Examples:
      | a record  |
      | a session |
      | a user    |

  @MESSAGE-1 @DEV-18
  Scenario: The list of messages has each of them once, in pages of any size
    Given 1, 30 and then 2 messages have been written to a session
    When they are listed in pages of 1, 5, 11, 32, 33 and 50
    Then each answer is whole, and what was written

  @MESSAGE-2
  Scenario: A message is fetched and changed by its uuid, in its own session
    Given 3 messages have been written to each of two sessions
    When each is fetched and changed in its own session, and looked for in the other
    Then each answer is whole, and what was written

  @RECORD-1
  Scenario: A session's record stays what it is, whatever happens to the session
    Given a session of a user has been made, with metadata
    When it is written to, changed, cleared, and used again
    Then each answer is whole, and what was written

  @RECORD-2
  Scenario: A user's record stays what it is, whatever happens to the user
    Given two users have been made, with names and metadata
    When one is changed, changed again, deleted, and made anew
    Then each answer is whole, and what was written

  @SEARCH-4
  Scenario: Search results are whole
    Given messages with moods have been written to two sessions
    When both are searched by likeness, by MMR and by mood
    Then each answer is whole, and what was written

  @SESSION-1 @SESSION-2 @CLEAR-1
  Scenario Outline: Session ids that are easily taken for each other are different sessions
    Given sessions have been written to whose ids differ by <difference>
    When one of them is cleared
    Then each answer is whole, and what was written

    Examples:
      | difference                    |
      | case                          |
      | Unicode normal form           |
      | white space at an end         |
      | one character after 200       |
      | a millisecond                 |
      | one letter more               |
      | what a pattern would match    |
      | letters that fold to the same |
