"""The embedded LangFlux: the API of Flowise 2.2.8 (LangFlux is Flowise under another name), without its page.

It is an imitation for trying and testing the suite; what it does says nothing about a deployment. Every requirement
holds in it, unless it is asked for what Flowise 2.2.8 does beside the documentation (`recorded_behaviours`). It serves
what the recordings, the suite and the doctor ask a LangFlux for.
"""
