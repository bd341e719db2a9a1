"""Every frozen error code has a page, and every page a code."""
import pathlib
import re
import unittest

import tree

CODE = re.compile(r'X\(\w+, (\d{4}), "([A-Z_]+)", \w+\)')


def codes():
    return {f"WEFT-{number}": name for number, name in CODE.findall(tree.text("common/weft/base/codes.hpp"))}


def pages():
    return {pathlib.PurePosixPath(name).stem: name for name in tree.with_suffix(".md", under="docs/errors/WEFT-")}


class Errors(unittest.TestCase):
    def test_every_code_has_a_page_and_every_page_a_code(self):
        self.assertEqual(sorted(codes()), sorted(pages()))

    def test_the_index_lists_every_code(self):
        index = tree.text("docs/errors/README.md")
        self.assertEqual([], [code for code, name in codes().items() if f"| [{code}]({code}.md) | {name} |" not in index])

    def test_no_number_and_no_name_is_used_twice(self):
        found = CODE.findall(tree.text("common/weft/base/codes.hpp"))
        self.assertEqual(len(found), len({number for number, _ in found}))
        self.assertEqual(len(found), len({name for _, name in found}))

    def test_a_page_opens_with_its_code_and_name(self):
        wrong = [f"{page}: wanted {code} and {codes()[code]} in the first line" for code, page in pages().items()
                 if code in codes() and not {code, codes()[code]} <= set(re.split(r"[^\w-]+", tree.text(page).split("\n", 1)[0]))]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_a_page_says_what_to_do(self):
        silent = [page for page in pages().values() if "what to do" not in tree.text(page).lower()]
        self.assertEqual([], silent)


if __name__ == "__main__":
    unittest.main()
