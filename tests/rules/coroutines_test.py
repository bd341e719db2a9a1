"""A rule about coroutines: no braced temporaries in a co_await expression, which gcc 12 miscompiles (docs/decisions/0008)."""
import re
import unittest

import tree

AWAIT = re.compile(r"co_await\s[^;]*?;", re.DOTALL)
AWAITED_RETURN = re.compile(r"\bif\s*\([^;{}]*!\s*\(*\s*co_await\b[^;{}]*\)\s*\{?\s*co_return\b[^;]*;")
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

    def test_no_awaited_condition_decides_about_co_return(self):
        """gcc 12 miscompiles `if (!co_await x()) co_return …;` at -O2: name the outcome first."""
        found = [f"{name}: {' '.join(match.group().split())}" for name in tree.with_suffix(".cpp", ".hpp")
                 for match in AWAITED_RETURN.finditer(re.sub(r"//.*", "", tree.text(name)))]
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_the_rule_sees_what_it_is_for(self):
        self.assertTrue(AWAITED_RETURN.search("if (!co_await x()) co_return Error();"))
        self.assertTrue(AWAITED_RETURN.search("if (!(co_await f(a, g(b))).ok()) {\n  co_return 1;"))
        self.assertFalse(AWAITED_RETURN.search("auto done = co_await x(); if (!done) co_return done.error();"))
        self.assertTrue(BRACED.search(AWAIT.search("auto x = co_await f(Options{1});").group()))
        self.assertFalse(BRACED.search(AWAIT.search("co_await f(options);").group()))


if __name__ == "__main__":
    unittest.main()
