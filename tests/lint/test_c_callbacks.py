#!/usr/bin/env python3
"""No exception crosses a frame of C: each function that libuv or libmicrohttpd calls is guarded, or noexcept.

    test_c_callbacks.py [ROOT]

Looks at common/uv and daemon.  A callback of libuv is a lambda, or a named function, that takes a pointer to one of its
handles or requests; those of libmicrohttpd are the static functions of `struct Callbacks`.  In its body stands
`guarded(` (common/uv/guard.h), or it is declared noexcept, because nothing in it can fail.  First shows on pieces of
code made for it that it finds each kind.
"""
import re
import subprocess
import sys
import unittest
from pathlib import Path

LAMBDA = re.compile(r"\[[^\[\]]*\]\s*\((?P<parameters>[^()]*\buv_\w+_t\s*\*[^()]*)\)(?P<between>[^{;]*)\{")
FUNCTION = re.compile(r"\n[^\n;{}#]*?\b(?P<name>\w+)\((?P<parameters>[^(){};]*\buv_\w+_t\s*\*[^(){};]*)\)(?P<between>[^{};]*)\{")
MHD_BLOCK = re.compile(r"\nstruct Callbacks \{")
STATIC = re.compile(r"\n  static [^;{}()]*?\b(?P<name>\w+)\((?P<parameters>[^(){};]*)\)(?P<between>[^{};]*)\{")


def body_from(code, opening):
    """The text from the brace at `opening` to its closing brace."""
    depth = 0
    for at in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return code[opening:at + 1]
    return code[opening:]


def callbacks(code):
    """Each callback, as (offset, name, what stands between its parameters and its body, its body)."""
    def found(match, base=0):
        groups = match.groupdict()
        opening = base + match.end() - 1
        return base + match.start(), groups.get("name") or "a lambda", match["between"], body_from(code, opening)
    for match in LAMBDA.finditer(code):
        yield found(match)
    # A named function is a callback where its name is an argument of a function of libuv.
    for match in FUNCTION.finditer(code):
        if re.search(r"\buv_\w+\([^;]*[,(]\s*&?(?:\w+::)?" + match["name"] + r"\s*[,)]", code):
            yield found(match)
    for block in MHD_BLOCK.finditer(code):
        body = body_from(code, block.end() - 1)
        for match in STATIC.finditer(body):
            yield found(match, block.end() - 1)


def violations(code):
    for offset, name, between, body in callbacks(code):
        if "noexcept" not in between and "guarded(" not in body:
            yield code.count("\n", 0, offset) + 1, name


class CanFail(unittest.TestCase):
    def test_a_callback_without_a_guard_is_found(self):
        for code in ["uv_timer_start(&t, [](uv_timer_t* due) { self(due).fire(); }, 1, 0);",
                     "const auto on_done = [](uv_write_t* request, int error) {\n  if (error) { f(); }\n};",
                     "\nvoid Stream::connected(uv_connect_t* done, int error) {\n  f();\n}\nuv_tcp_connect(r, &t, a, connected);",
                     "\nstruct Callbacks {\n  static void* began(void*, const char* target) {\n    return new X;\n  }\n};"]:
            self.assertEqual(len(list(violations(code))), 1, code)

    def test_what_is_guarded_or_cannot_fail_or_is_no_callback_is_not_found(self):
        for code in ["uv_timer_start(&t, [](uv_timer_t* due) { guarded([&] { self(due).fire(); }); }, 1, 0);",
                     "uv_idle_start(&i, [](uv_idle_t*) noexcept {});",
                     "\nvoid Stream::connected(uv_connect_t* done, int error) {\n  guarded(f);\n}\nuv_tcp_connect(r, &t, a, connected);",
                     "\nint true_end(uv_stream_t* stream, int error) {\n  return f(stream);\n}\nuv_close(true_end(s, 1));",
                     "\nstruct Callbacks {\n  static void* began(void*, const char* target) {\n    uv::guarded(f);\n  }\n};",
                     "\nstruct Other {\n  static void* began(void*) {\n    return new X;\n  }\n};"]:
            self.assertEqual(list(violations(code)), [], code)


class OurCallbacks(unittest.TestCase):
    root = Path(".")

    def test_each_is_guarded(self):
        names = subprocess.run(["git", "-C", self.root, "ls-files", "--cached", "--others", "--exclude-standard",
                                "common/uv", "daemon"], capture_output=True, check=True, text=True).stdout.split()
        bare, count = [], 0
        for name in names:
            if not name.endswith((".h", ".cpp")) or not Path(self.root, name).is_file():
                continue
            code = re.sub(r"//[^\n]*", "", Path(self.root, name).read_text(encoding="utf-8"))
            count += len(list(callbacks(code)))
            bare += [f"{name}:{line}: {what} that C calls is neither guarded nor noexcept" for line, what in violations(code)]
        self.assertEqual(bare, [])
        self.assertGreater(count, 15)  # they are found at all


if __name__ == "__main__":
    if len(sys.argv) > 1:
        OurCallbacks.root = Path(sys.argv.pop(1))
    unittest.main()
