"""The `embedded` target: Zep, LangFlux, model and NLP servers of our own, for trying and testing the suite.

A run against it says nothing about anybody's deployment. Parts given by URL are used instead of embedded ones.
"""
