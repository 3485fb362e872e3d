"""Conformance tests for chatbots that remember with Zep."""

__version__ = "0.1.0"
