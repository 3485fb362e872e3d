"""How a mutation gets around a handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.embedded.zep.operations import Handler


def around_handler(zep: EmbeddedZep, resource: str, *methods: str) -> Callable[[Handler], Handler]:
    """Put the decorated function around the handlers of a resource's methods.

    It is called in place of each, with the old one before what a handler is given.
    """

    def decorate(function: Handler) -> Handler:
        known = zep.operations[resource]
        for method in methods:
            known[method] = replace(known[method], handler=partial(function, known[method].handler))
        return function

    return decorate
