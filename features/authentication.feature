Feature: A secured Zep
  The documentation, “Zep Authentication”: zepcli makes a secret and a JWT; Zep gets the secret, LangFlux the JWT.

  @AUTH-1 @needs-auth @needs-secret @reads-only
  Scenario: A token made as zepcli makes it is accepted, the secret itself is not
    Given a token over no claims, made with Zep's secret as text
    Then Zep accepts the token
    But Zep refuses the secret itself as a token

  @AUTH-2 @AUTH-3 @ERRORS-1
  Scenario: Nobody reads without the right token
    When strangers try to read all that the API has, in every way that there is
    Then nobody is let in
    And no refusal gives anything away

  @AUTH-2 @AUTH-3 @ERRORS-1
  Scenario: Nobody changes or searches anything without the right token
    Given Alice has a user, and a session with messages, in the secured Zep
    When strangers try to change and to search it, in every way that there is
    Then nobody is let in
    And nothing has changed
    And no refusal gives anything away

  @AUTH-2
  Scenario: Every operation of the API answers the right token
    Given Alice has a user, and a session with messages, in the secured Zep
    When each operation of the API is asked for with the right token
    Then each answer is one that is documented for it, and no refusal

  @AUTH-2
  Scenario: A refused write changes nothing
    When a message is written to the secured Zep without a token
    Then the answer is 401, and says why
    And nothing was written

  @AUTH-3 @needs-secret @reads-only
  Scenario Outline: A token that is not good is refused
    When Zep is asked with a token that is <wrong>
    Then the answer is 401, and says why

    Examples:
      | wrong                         |
      | garbage                       |
      | expired                       |
      | not valid yet                 |
      | unsigned                      |
      | without its signature         |
      | changed after signing         |
      | signed with another secret    |
      | signed with the decoded secret |
      | signed with HS384             |
      | signed with HS512             |

  @AUTH-3 @reads-only
  Scenario: A token made with the secret that Zep's own config.yaml has is refused
    When Zep is asked with a token that anybody can make, since that secret is published
    Then the answer is 401, and says why

  @AUTH-4 @needs-build
  Scenario: LangFlux remembers in a secured Zep when its node has the credential
    Given a Zep credential holding the JWT is selected on the Zep node
    And Alice has said "Hi, my name is Alice" to that chatbot
    Then asking that chatbot "What is my name?" gives "Alice"

  @AUTH-4 @ERRORS-1 @needs-build @needs-secret
  Scenario Outline: LangFlux fails, and says so, when the credential is wrong
    Given a Zep credential that holds <what> by mistake is selected on the Zep node
    When Alice says "Hi, my name is Alice" to that chatbot
    Then the prediction fails, and says that Zep refused it
    And its words give nothing away
    And with the JWT in its place the chatbot answers

    Examples:
      | what                   |
      | the secret             |
      | another secret's token |
      | an expired token       |

  @AUTH-4 @needs-build
  Scenario: LangFlux fails, and says so, without a credential
    Given no Zep credential is selected on the Zep node
    When Alice says "Hi, my name is Alice" to that chatbot
    Then the prediction fails, and says that Zep refused it
    And its words give nothing away
    And with the JWT in its place the chatbot answers

  @AUTH-5 @needs-build
  Scenario: The token is never shown again by LangFlux's API
    Given a Zep credential holding a token of our own making is added
    When the credential and a chatflow that uses it are fetched
    Then the token is in none of the answers

  @AUTH-6 @reads-only
  Scenario Outline: Nothing but the health check is served without a token
    When GET <path> is asked for without a token
    Then nothing is served there

    Examples:
      | path               |
      | /api/v1/collection |

    @DEV-7
    Examples:
      | path            |
      | /admin          |
      | /admin/sessions |
      | /admin/users    |

  @AUTH-6 @reads-only
  Scenario: The health check needs no token
    When GET /healthz is asked for without a token
    Then the answer is 200

  @AUTH-7 @DEV-14
  Scenario: With authentication required and no secret Zep does not start, and says why
    Given Zep is stopped
    When it is started with ZEP_AUTH_REQUIRED and without a secret
    Then it does not come up
    And its log names the missing secret
