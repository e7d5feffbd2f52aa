"""Waiting for something to become true, with a deadline instead of a guess."""

import time


def wait_until(condition, what, deadline=10.0, every=0.02):
    """The first true value of condition(); an AssertionError that says `what` was waited for after `deadline` seconds.

    `what` may be a function, called when the time is up, so that it can show the state of things then.
    """
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline} s in vain for {what() if callable(what) else what}")
        time.sleep(every)
