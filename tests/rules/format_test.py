"""Source files are as clang-format 14 leaves them (other versions format differently)."""
import concurrent.futures
import shutil
import subprocess
import unittest

import tree


def clang_format():
    for program in ("clang-format-14", "clang-format"):
        if shutil.which(program):
            version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
            if " 14." in version:
                return program
    return None


class Format(unittest.TestCase):
    def test_every_source_file_is_formatted(self):
        program = clang_format()
        if program is None:
            self.skipTest("clang-format 14 is not installed")

        def ugly(names):
            done = subprocess.run([program, "--dry-run", "-Werror", "--ferror-limit=1", *names], cwd=tree.ROOT, capture_output=True, text=True)
            return [line.split(":", 1)[0] for line in done.stderr.splitlines() if "clang-format-violations" in line]

        names = tree.with_suffix(".hpp", ".cpp")
        half = len(names) // 2
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            wrong = sum(pool.map(ugly, [part for part in (names[:half], names[half:]) if part]), [])
        self.assertEqual([], sorted(set(wrong)), "run ./dev format")


if __name__ == "__main__":
    unittest.main()
