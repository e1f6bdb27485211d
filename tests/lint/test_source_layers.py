#!/usr/bin/env python3
"""Keeps clocks, libuv, spdlog, RapidJSON and chance in the folders where they belong, the layers in order,
and paths of one machine out of the tree.

    test_source_layers.py [ROOT]

Checks the tracked files under ROOT (all files, where ROOT is no git tree), after it has shown on a tree made
for it that it finds each kind of violation.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CPP = (".h", ".cpp")
# What a binary or generated file would add is noise; nothing else is left out.
NOT_OURS = re.compile(r"^(build|\.git|\.cache)/|\.(png|gif|jpg|ico)$")


class Rule:
    """What must not stand in C++ code, except where a path of `allowed` matches the file's."""

    def __init__(self, name, pattern, allowed):
        self.name = name
        self.pattern = re.compile(pattern, re.M)
        self.allowed = re.compile("|".join(f"(?:{path})" for path in allowed))

    def violations(self, path, code):
        if self.allowed.match(path):
            return
        for found in self.pattern.finditer(code):
            yield code.count("\n", 0, found.start()) + 1, f"{self.name} ({found.group().strip()})"


# Outside of these three folders nothing is the product's own: tools and tests use what they like, within
# the order of the layers.
OUTSIDE = [r"tools/", r"tests/"]
RULES = [
    # common/uv/machine.cpp: each run of the daemon has a random name.  Tests read the JSON that we wrote.
    # daemon/service_manager.cpp: systemd wants a reading of the monotonic clock in one of its messages.
    Rule("a clock does not belong here",
         r"\b(?:steady|system|high_resolution|utc|tai|gps|file)_clock\b|\buv_(?:now|hrtime|update_time)\b"
         r"|\b(?:clock_gettime|gettimeofday|timespec_get|uv_clock_gettime|uv_gettimeofday)\b"
         r"|(?<![\w.>])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&\s*\w+)\s*\)",
         [r"common/uv/", r"common/log\.", r"daemon/service_manager\.cpp", *OUTSIDE]),
    Rule("nobody asks for the time here: it is an argument", r"::now\s*\(",
         [r"common/uv/", r"common/log\.", r"daemon/(?!core/)", *OUTSIDE]),
    Rule("nothing sleeps", r"\b(?:sleep|usleep|nanosleep|clock_nanosleep|sleep_for|sleep_until|uv_sleep)\s*\(",
         [r"tests/"]),
    Rule("chance does not belong here",
         r"\bstd::random_device\b|(?<![\w.>])(?:std::|::)?s?rand\s*\(|\b(?:random|drand48|lrand48|getrandom|"
         r"arc4random|uv_random)\s*\(", [r"common/uv/machine\.cpp", *OUTSIDE]),
    Rule("libuv is for common/uv and daemon/io", r"^[ \t]*#[ \t]*include\s*[<\"]uv(?:\.h|/)",
         [r"common/uv/", r"daemon/io/", r"daemon/main\.cpp", r"daemon/config", *OUTSIDE]),
    Rule("spdlog is behind the log", r"^[ \t]*#[ \t]*include\s*[<\"]spdlog",
         [r"common/log\.cpp", r"daemon/(?!core/|io/)", *OUTSIDE]),
    Rule("libmicrohttpd and prometheus-cpp are behind daemon/http", r"^[ \t]*#[ \t]*include\s*[<\"](?:microhttpd|prometheus/)",
         [r"daemon/http/"]),
    Rule("RapidJSON is for the files about JSON", r"^[ \t]*#[ \t]*include\s*[<\"]rapidjson/",
         [r"common/message\.cpp", r"(?:.*/)?[^/]*json[^/]*$", r"tests/"]),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include\s*[<"]([^>"]+)[>"]', re.M)


def layer_of(path):
    """The layer of a file of ours, by its path from the root; None for what is no layer."""
    for prefix, layer in [("common/uv/", "common/uv"), ("common/log", "common/log"), ("common/", "common"),
                          ("daemon/core/", "daemon/core"), ("daemon/io/", "daemon/io"), ("daemon/", "daemon"),
                          ("tools/", "tools"), ("tests/", "tests")]:
        if path.startswith(prefix):
            return layer
    return None


# What each layer may include of ours.  A folder of the daemon without a line of its own is part of `daemon`:
# it may use core and io, and they may not use it.
BELOW = {
    "common": {"common"},
    "common/log": {"common", "common/log"},
    "common/uv": {"common", "common/uv"},
    "daemon/core": {"common", "daemon/core"},
    "daemon/io": {"common", "common/uv", "daemon/core", "daemon/io"},
    "daemon": {"common", "common/uv", "common/log", "daemon/core", "daemon/io", "daemon"},
    "tools": {"common", "common/uv", "common/log", "daemon/core", "tools"},
}

MACHINE_PATH = re.compile(r"(?<![\w.}-])/(?:work|home|Users|root)/[\w.]|\b[A-Z]:\\\\?Users\b")

NOT_CODE = re.compile(r'''//[^\n]*|/\*.*?\*/|^[ \t]*\#[ \t]*include[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)[']''', re.S | re.M)


def without_comments(code):
    """The code with its comments and strings blanked, line by line; what is included keeps its name."""
    def blank(found):
        is_include = found.group().lstrip().startswith("#")
        return found.group() if is_include else re.sub(r"[^\n]", " ", found.group())
    return NOT_CODE.sub(blank, code)


def check_code(path, text):
    code = without_comments(text)
    for rule in RULES:
        yield from rule.violations(path, code)
    here = layer_of(path)
    for found in INCLUDE.finditer(code):
        line = code.count("\n", 0, found.start(1)) + 1
        if ".." in found[1].split("/"):
            yield line, f"an include goes by the path from the root ({found[1]})"
        included = layer_of(found[1])
        if here in BELOW and included is not None and included not in BELOW[here]:
            yield line, f"{here} must not know {included} ({found[1]})"


def check_text(text, own_paths):
    for number, line in enumerate(text.splitlines(), 1):
        for path in own_paths:
            if path in line:
                yield number, f"a path of this machine ({path})"
        if found := MACHINE_PATH.search(line):
            yield number, f"a path of some machine ({found.group()})"


def files_of(root):
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [str(path.relative_to(root)) for path in Path(root).rglob("*") if path.is_file()]
    return sorted(name for name in names if not NOT_OURS.search(name) and Path(root, name).is_file())


def check_tree(root):
    """Every violation, as `path:line: what`."""
    root = Path(root).resolve()
    # Where the tree happens to lie, unless that is so short that it could be anything.
    own_paths = [str(root)] if len(root.parts) > 2 else []
    violations = []
    for name in files_of(root):
        text = Path(root, name).read_text(encoding="utf-8", errors="replace")
        found = list(check_text(text, own_paths))
        if name.endswith(CPP):
            found += check_code(name, text)
        violations += [f"{name}:{line}: {what}" for line, what in found]
    return violations


class CanFail(unittest.TestCase):
    """Each kind of violation, in a tree made for it, is found; and nothing that is none."""

    def violations_of(self, path, text):
        with tempfile.TemporaryDirectory() as root:
            file = Path(root, path)
            file.parent.mkdir(parents=True)
            file.write_text(text.replace("ROOT", str(Path(root).resolve())), encoding="utf-8")
            return check_tree(root)

    def test_each_violation_is_found_at_its_line(self):
        for path, line in [
                ("daemon/core/a.cpp", "auto t = std::chrono::steady_clock::now();"),
                ("daemon/core/a.h", "using Clock = std::chrono::system_clock;"),
                ("daemon/core/a.cpp", "auto t = Clock::now();"),
                ("common/a.cpp", "auto t = Clock::now ();"),
                ("daemon/io/a.cpp", "const auto t = uv_hrtime();"),
                ("daemon/io/a.cpp", "uv_update_time(loop);"),
                ("daemon/a.cpp", "const auto t = uv_now(loop);"),
                ("common/a.cpp", "clock_gettime(CLOCK_MONOTONIC, &t);"),
                ("common/a.cpp", "gettimeofday(&t, nullptr);"),
                ("daemon/main.cpp", "const auto t = std::time(nullptr);"),
                ("daemon/control/a.cpp", "time(NULL);"),
                ("daemon/io/a.cpp", "std::this_thread::sleep_for(1s);"),
                ("tools/sim/a.cpp", "usleep(10);"),
                ("daemon/core/a.cpp", "std::random_device seed;"),
                ("common/a.cpp", "int r = rand() % 6;"),
                ("common/a.cpp", "#include <uv.h>"),
                ("daemon/core/a.h", "# include \"uv.h\""),
                ("daemon/event_log.cpp", "#include <uv.h>"),
                ("daemon/core/a.cpp", "#include <spdlog/spdlog.h>"),
                ("daemon/io/a.cpp", "#include <spdlog/spdlog.h>"),
                ("common/text.cpp", "#include <spdlog/fmt/fmt.h>"),
                ("daemon/core/a.cpp", "#include <rapidjson/document.h>"),
                ("common/message.h", "#include <rapidjson/document.h>"),
                ("tools/sim/a.cpp", "#include <rapidjson/document.h>"),
                ("daemon/main.cpp", "#include <microhttpd.h>"),
                ("daemon/report/a.cpp", "#include <prometheus/metric_family.h>"),
                ("common/a.h", "#include \"daemon/core/rule.h\""),
                ("common/a.h", "#include \"common/uv/loop.h\""),
                ("common/a.h", "#include \"common/log.h\""),
                ("common/uv/a.h", "#include \"daemon/io/server.h\""),
                ("daemon/core/a.h", "#include \"common/uv/loop.h\""),
                ("daemon/core/a.h", "#include \"daemon/io/server.h\""),
                ("daemon/core/a.h", "#include \"daemon/config.h\""),
                ("daemon/io/a.h", "#include \"daemon/event_log.h\""),
                ("daemon/io/a.h", "#include \"daemon/control/server.h\""),
                ("daemon/a.h", "#include \"tools/sim/a.h\""),
                ("tools/sim/a.h", "#include \"daemon/io/server.h\""),
                ("daemon/io/a.h", "#include \"../core/rule.h\""),
                ("docs/a.md", "cd /" + "home/somebody/heartbeatd"),
                ("docs/a.md", "see `/" + "work/notes.md`"),
                ("tests/a.py", "open('ROOT/build')"),
        ]:
            with self.subTest(f"{path}: {line}"):
                found = self.violations_of(path, "// one\n" + line + "\n// three\n")
                self.assertTrue(found)
                self.assertTrue(all(violation.startswith(f"{path}:2: ") for violation in found), found)

    def test_what_is_none_is_not_found(self):
        for path, line in [
                ("common/uv/loop.cpp", "#include <uv.h>\nMonoTime Loop::now() const { return uv_now(&loop_); }"),
                ("daemon/io/server.cpp", "#include <uv.h>\n#include \"daemon/core/monitor.h\"\n"
                                         "MonoTime Server::now() { return clock_.now(); }"),
                ("daemon/core/a.cpp", "// not steady_clock::now(), and no sleep(1) or rand() either"),
                ("daemon/core/a.cpp", "/* time(nullptr)\n   uv_now() */ const auto at = clock.now();"),
                ("daemon/core/a.cpp", "say(\"sleep(1) and std::random_device\"); operand(1); connected_time(0);"),
                ("daemon/core/a.cpp", "put('\"'); // uv_now\nput('\"'); // rand()"),
                ("common/message.cpp", "#include <rapidjson/document.h>"),
                ("tools/ctl/json_lines.cpp", "#include <rapidjson/document.h>"),
                ("daemon/main.cpp", "#include <spdlog/spdlog.h>\n#include \"daemon/io/server.h\""),
                ("daemon/control/a.cpp", "#include \"daemon/core/monitor.h\"\n#include \"daemon/io/server.h\""),
                ("tests/unit/a.cpp", "#include \"daemon/core/monitor.h\"\n#include <uv.h>"),
                ("docs/a.md", "framework/" + "work/x, network/" + "home, $HOME/x, /etc/heartbeatd, /homework"),
        ]:
            with self.subTest(f"{path}: {line}"):
                self.assertEqual(self.violations_of(path, line + "\n"), [])


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    shown = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromTestCase(CanFail))
    violations = check_tree(root)
    for violation in violations:
        print(violation)
    checked = files_of(root)
    print(f"{len(checked)} files, {len(violations)} violations")
    # A tree in which nothing is found because nothing was looked at is no proof.
    if not any(name.startswith("daemon/core/") for name in checked):
        print("no file of daemon/core among them: is this the root?")
        return 1
    return 0 if shown.wasSuccessful() and not violations else 1


if __name__ == "__main__":
    os.environ.pop("GIT_DIR", None)
    sys.exit(main())
