Feature: Whatever is done, in whatever order
  Sequences of operations that nobody wrote: drawn at random, the same again with the same seed. Whatever a client does
  with sessions, messages and users whose ids and texts are easily mixed up, each answer is what the documentation
  promises, to the last field; and what was done to one has done nothing to another.

  @STORE-1 @STORE-2 @SESSION-1 @SESSION-3
  Scenario: Any sequence of operations on sessions and memories gives what the documentation promises
    When any operations on sessions and memories are carried out, in any order
    Then each gives what the documentation promises

  @SESSION-4
  Scenario: Any sequence of operations on users and session records gives what the documentation promises
    When any operations on users and session records are carried out, in any order
    Then each gives what the documentation promises

  @SEARCH-2 @SESSION-3
  Scenario: Any sequence of writing, searching and clearing gives what the documentation promises
    When any operations on memories and searches are carried out, in any order
    Then each gives what the documentation promises

  @API-8 @API-9 @CLEAR-2
  Scenario: Any chats of several users, with clears, give what the documentation promises
    When any operations on chats of several users are carried out, in any order
    Then each gives what the documentation promises
