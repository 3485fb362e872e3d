"""The embedded servers: Zep, LangFlux, the model and the NLP server.

They exist so that the suite can be tried, developed and tested without a deployment. They import nothing
else of this project, and say nothing about anybody's deployment.
"""
