"""Clients: how the suite talks to Zep and to LangFlux."""
