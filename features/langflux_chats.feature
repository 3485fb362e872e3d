Feature: What is said to a chatbot is what is kept
  Nobody wrote it down, and everybody relies on it: a chatbot remembers what was said, not something like it, and
  LangFlux's list of chat messages (“Use in LangFlux UI”) is the whole conversation.

  @API-8
  Scenario Outline: A text of any kind is answered, streamed and kept to the letter
    Given Alice talks under a session id made of her user id and the time
    When she says a text with <kind>, and says it again with the answer streamed
    Then each answer is what the model said, and names her question
    And the pieces of the stream are the answer, each once and in order
    And Zep has both sides of the conversation under exactly that session id
    And listing the chat messages by the session id of Alice gives her conversation only

    Examples:
      | kind                                 |
      | white space at either end            |
      | every kind of line break             |
      | both normal forms of Unicode         |
      | joined emoji and letters of scripts  |
      | markup, braces and quotes            |
      | signs that nobody sees               |
      | the signs that end a stream          |
      | one word again and again             |
      | 40000 characters                     |

  @API-9
  Scenario: The list of chat messages is complete
    Given Alice and Bob talk in turn with the same chatbot, 6 and 2 times, every second answer streamed
    When the chat messages of each are listed, by session and by chat
    Then each list is the conversation: every message once, in order, with its role, its session and its chat
    And each message has an id and a time of its own, the same whenever it is listed
    And each answer has named its own chat message, and the chat and the session that were sent
