"""The embedded Zep: the API of the open-source Zep 0.27.2 on Starlette and SQLite.

It is an imitation for trying and testing the suite; what it does says nothing about a deployment. It keeps every
requirement, but for the recorded behaviours that it is asked to show (see `zep_conformance.embedded.behaviours`): with
all of them it does what Zep 0.27.2 was recorded to do.
"""
