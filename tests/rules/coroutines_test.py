"""A rule about coroutines: no braced temporaries in a co_await expression, which gcc 12 miscompiles (docs/decisions/0008)."""
import re
import unittest

import tree

AWAIT = re.compile(r"co_await\s[^;]*?;", re.DOTALL)
BRACED = re.compile(r"[\w>]\{")


class Coroutines(unittest.TestCase):
    def test_no_braced_temporary_is_awaited(self):
        found = [f"{name}: {' '.join(match.group().split())[:120]}"
                 for name in tree.with_suffix(".cpp", ".hpp") for match in AWAIT.finditer(re.sub(r"//.*", "", tree.text(name)))
                 if BRACED.search(match.group())]
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_no_value_is_awaited_within_a_conditional_expression(self):
        """gcc 12 destroys it twice; what has no destructor, as in `!co_await`, is fine."""
        found = [f"{name}: {' '.join(match.group().split())}" for name in tree.with_suffix(".cpp", ".hpp")
                 for match in re.finditer(r"\?[^;?{}]*?(?<![!\w])co_await[^;]*", re.sub(r"//.*", "", tree.text(name)))]
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_the_rule_sees_what_it_is_for(self):
        self.assertTrue(BRACED.search(AWAIT.search("auto x = co_await f(Options{1});").group()))
        self.assertFalse(BRACED.search(AWAIT.search("co_await f(options);").group()))


if __name__ == "__main__":
    unittest.main()
