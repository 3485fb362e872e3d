"""The embedded LangFlux: the API of Flowise 2.2.8 (LangFlux is Flowise under another name), without its page.

It is an imitation for trying and testing the suite; what it does says nothing about a deployment. It has two
manners (see `zep_conformance.embedded.departures`): *documented*, in which every requirement holds, and
*faithful*, which does what Flowise 2.2.8 was recorded to do.
"""
