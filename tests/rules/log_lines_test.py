"""The schema of log lines refuses what is no line of Weft's log; the suites check every line of their processes against it."""
import json
import sys
import unittest

import tree

sys.path.insert(0, str(tree.ROOT))
from tests.support import log_lines  # noqa: E402

GOOD = {"ts": "2026-11-20T08:00:00.000001Z", "level": "info", "msg": "ready", "agent": "echo", "instance": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "host": "alpha", "pid": 7, "anything": {"else": [1]}}
TRACE = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331", "trace_flags": "01"}


class LogLines(unittest.TestCase):
    def test_a_line_of_the_log_is_accepted(self):
        for line in (GOOD, GOOD | TRACE):
            self.assertEqual([], log_lines.mistakes(json.dumps(line) + "\n"))

    def test_what_differs_in_one_point_is_refused(self):
        for change in ({"ts": "2026-11-20 08:00:00"}, {"level": "INFO"}, {"level": "notice"}, {"msg": ""}, {"msg": 1}, {"pid": "7"}, {"pid": 0},
                       {"pid": True}, {"instance": "none"}, {"trace_id": TRACE["trace_id"]}, {"span_id": TRACE["span_id"]}, TRACE | {"trace_flags": "1"},
                       {"code": 1001}, {"agent": ""}):
            with self.subTest(change=change):
                self.assertTrue(log_lines.mistakes(json.dumps(GOOD | change) + "\n"))
        for name in ("ts", "level", "msg", "pid"):
            self.assertEqual(1, len(log_lines.mistakes(json.dumps({key: value for key, value in GOOD.items() if key != name}) + "\n")))

    def test_broken_json_and_a_name_twice_are_refused_and_other_text_is_not_looked_at(self):
        self.assertEqual(1, len(log_lines.mistakes('{"ts": \n')))
        self.assertEqual(1, len(log_lines.mistakes(json.dumps(GOOD)[:-1] + ', "msg": "again"}\n')))
        self.assertEqual([], log_lines.mistakes("Traceback (most recent call last):\n"))
        self.assertEqual([], log_lines.mistakes('{"ts": "cut by a kill'))


if __name__ == "__main__":
    unittest.main()
