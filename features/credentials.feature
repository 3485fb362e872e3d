Feature: A credential's secret is never shown again
  The documentation, “Zep Authentication”: a credential holds the JWT, and the Zep Memory node is given the credential.
  Whoever has a look at LangFlux afterwards, its errors included, must not find the secret, nor a piece of it.

  @AUTH-5 @needs-build
  Scenario Outline: The secret of a credential is in no answer about it
    Given a secret for <what> that nobody has seen yet
    When a credential that holds it is added, listed, fetched, changed, used and deleted
    And adding it without a name, and changing one that there is not, is refused
    Then no answer shows the secret, nor the one that it was changed to, nor a piece of either

    Examples:
      | what      |
      | Zep       |
      | the model |
