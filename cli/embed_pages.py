#!/usr/bin/env python3
"""Writes the pages of docs/errors as one C++ source, and the depfile that rebuilds it when a page changes or comes.

usage: embed_pages.py FOLDER OUTPUT DEPFILE
"""
import pathlib
import sys

folder, output, depfile = map(pathlib.Path, sys.argv[1:4])
pages = sorted(folder.glob("WEFT-*.md")) if folder.is_dir() else []


def literal(text):
    """Raw strings of at most 8 KiB each: compilers limit the length of one."""
    parts = [text[i:i + 8000] for i in range(0, len(text), 8000)] or [""]
    return "\n    ".join(f'R"page({part})page"' for part in parts)


rows = [f'  {{"{page.stem}", {literal(page.read_text(encoding="utf-8"))}}},\n' for page in pages]
output.write_text(
    '#include "cli/explain.hpp"\n\nnamespace weft::cli {\n\n'
    "const std::map<std::string, std::string, std::less<>>& error_pages() {\n"
    "  static const std::map<std::string, std::string, std::less<>> pages{\n" + "".join(rows) + "  };\n"
    "  return pages;\n}\n\n}  // namespace weft::cli\n", encoding="utf-8")
needed = [str(page) for page in pages] + ([str(folder)] if folder.is_dir() else [])
depfile.write_text(f"{output}: {' '.join(needed)}\n", encoding="utf-8")
