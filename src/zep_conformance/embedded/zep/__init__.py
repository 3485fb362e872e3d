"""The embedded Zep: the API of the open-source Zep 0.27.2 on Starlette and SQLite.

It is an imitation for trying and testing the suite; what it does says nothing about a deployment. It has two
manners (see `zep_conformance.embedded.departures`): *documented*, in which every requirement holds, and
*faithful*, which does what Zep 0.27.2 was recorded to do.
"""
