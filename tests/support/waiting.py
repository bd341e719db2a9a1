"""Waiting for a condition with a deadline: the one place of the Python suites that pauses."""
import time


def eventually(condition, seconds=10.0, what="", pause=0.02):
    """Calls `condition` until it returns something true, and returns that; fails after `seconds` with `what` and the last answer."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or condition} (last: {answer!r})")
        time.sleep(pause)


def hold(seconds):
    """Lets a state that the test has made last for `seconds`, where its length is what is tested (hosts cut apart for 10 s)."""
    time.sleep(seconds)
