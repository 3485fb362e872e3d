"""The former name of Behaviours."""

from zep_conformance.embedded.behaviours import Behaviours as Departures

__all__ = ["Departures"]
