"""Ctrl-C is not lost, wherever the program is when it comes, and what may not be half done is done."""

from __future__ import annotations

import io
import signal
import threading

import pytest

from zep_conformance.processes.interruption import noted, put_off, raise_if_lost

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


class Finalized(io.RawIOBase):
    """Something in whose finalizer a signal comes."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def close(self) -> None:
        if not self.closed:
            super().close()
            signal.raise_signal(self.number)


@pytest.fixture(autouse=True)
def _as_in_a_terminal() -> object:
    """Ctrl-C works, though a pipeline may have started us in the background, where it is ignored."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is before[signal.SIGTERM]
    for number, handler in before.items():
        signal.signal(number, handler)


@BOTH
def test_a_signal_that_python_drops_is_raised_later(number: signal.Signals) -> None:
    with noted():
        raise_if_lost()
        thing = Finalized(number)
        del thing  # Python drops what is raised in there
        with pytest.raises(KeyboardInterrupt):
            raise_if_lost()


@BOTH
def test_a_signal_is_raised_at_once_where_it_can_be(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), noted():
        signal.raise_signal(number)
    raise_if_lost()


def test_an_ignored_interrupt_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with noted(), put_off():
        signal.raise_signal(signal.SIGINT)
    raise_if_lost()
    signal.signal(signal.SIGINT, signal.default_int_handler)


@BOTH
def test_what_is_begun_is_done_first(number: signal.Signals) -> None:
    done = []

    def work() -> None:
        with put_off():
            signal.raise_signal(number)
            done.append("it")

    with noted(), pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["it"]


def test_another_thread_has_nothing_to_put_off() -> None:
    done = []

    def work() -> None:
        with put_off():
            done.append("it")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["it"]
