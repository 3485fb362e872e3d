"""Chats through LangFlux's API: its model, its operations, and the kind of sequence that is made of them."""
