Feature: Deployment files
  The documentation, “Deploy Zep”: a blueprint creates three applications on Render, and Fly.io and Docker are said to
  do as well. The files are read, and nothing is deployed: what is wrong in them would show there only, if at all.

  @DEPLOY-3 @reads-only
  Scenario Outline: Three applications are created
    Given the <files> of a deployment
    Then it creates zep, zep-nlp and zep-postgres

    Examples:
      | files            |
      | Render blueprint |
      | Compose project  |

  @DEPLOY-3 @reads-only
  Scenario Outline: Zep runs, in a version that stays what it is
    Given the <files> of a deployment
    Then what it runs is a Zep 0.x of a version that is said, and a database with pgvector
    And zep is told all that it does not start without

    Examples:
      | files                |
      | Render blueprint     |
      | Fly.io configuration |
      | Compose project      |

  @DEPLOY-3 @reads-only
  Scenario Outline: The applications are wired to each other
    Given the <files> of a deployment
    Then zep is told where to find the others, and reaches them there

    Examples:
      | files                |
      | Render blueprint     |
      | Fly.io configuration |
      | Compose project      |

  @DEPLOY-3 @reads-only
  Scenario Outline: Zep's port is exposed, and its health is watched
    Given the <files> of a deployment
    Then zep's port can be reached from outside
    And a health check asks zep whether it works

    Examples:
      | files                |
      | Render blueprint     |
      | Fly.io configuration |
      | Compose project      |

  @DEPLOY-3 @reads-only
  Scenario Outline: Nothing is open that should be closed
    Given the <files> of a deployment
    Then no secret stands in it in clear
    And nobody but zep can be reached from outside

    Examples:
      | files                |
      | Render blueprint     |
      | Fly.io configuration |
      | Compose project      |

  @DEPLOY-3 @reads-only
  Scenario Outline: What Zep remembers outlives the next deployment
    Given the <files> of a deployment
    Then what zep-postgres holds is kept

    Examples:
      | files                |
      | Render blueprint     |
      | Fly.io configuration |
      | Compose project      |
