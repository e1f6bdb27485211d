#!/usr/bin/env python3
"""Keeps clocks, libuv, spdlog, RapidJSON and random numbers in the folders where they belong, the layers in
order, and paths of one machine out of the tree.

    test_source_layers.py [ROOT]

First shows, on small trees made for the purpose, that each kind of violation is found.  Then checks the tracked
files under ROOT, or all files where ROOT is not a git tree.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CPP = (".h", ".cpp")
# Binary and generated files are not read.  Every other file is.
NOT_OURS = re.compile(r"^(build|\.git|\.cache)/|\.(png|gif|jpg|ico)$")


class Rule:
    """A pattern that C++ code must not contain, except in files whose path begins as one of `allowed` says."""

    def __init__(self, name, pattern, allowed):
        self.name = name
        self.pattern = re.compile(pattern, re.M)
        self.allowed = re.compile("|".join(f"(?:{path})" for path in allowed))

    def violations(self, path, code):
        if self.allowed.match(path):
            return
        for found in self.pattern.finditer(code):
            yield code.count("\n", 0, found.start()) + 1, f"{self.name} ({found.group().strip()})"


# Tools and tests may use any library and any clock; only the order of the layers binds them.
OUTSIDE = [r"tools/", r"tests/"]
RULES = [
    # common/uv/machine.cpp draws the random id of each run of the daemon.
    # daemon/systemd/service_manager.cpp: systemd's message RELOADING=1 carries a reading of the monotonic clock.
    Rule("a clock does not belong here",
         r"\b(?:steady|system|high_resolution|utc|tai|gps|file)_clock\b|\buv_(?:now|hrtime|update_time)\b"
         r"|\b(?:clock_gettime|gettimeofday|timespec_get|uv_clock_gettime|uv_gettimeofday)\b"
         r"|(?<![\w.>])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&\s*\w+)\s*\)",
         [r"common/os/", r"common/uv/", r"common/log\.", r"daemon/systemd/service_manager\.cpp", *OUTSIDE]),
    Rule("the time is an argument here", r"::now\s*\(",
         [r"common/uv/", r"common/log\.", r"daemon/(?!core/)", *OUTSIDE]),
    Rule("nothing sleeps", r"\b(?:sleep|usleep|nanosleep|clock_nanosleep|sleep_for|sleep_until|uv_sleep)\s*\(",
         [r"tests/"]),
    Rule("random numbers do not belong here",
         r"\bstd::random_device\b|(?<![\w.>])(?:std::|::)?s?rand\s*\(|\b(?:random|drand48|lrand48|getrandom|"
         r"arc4random|uv_random)\s*\(", [r"common/uv/machine\.cpp", *OUTSIDE]),
    Rule("libuv is for common/uv and daemon/io", r"^[ \t]*#[ \t]*include\s*[<\"]uv(?:\.h|/)",
         [r"common/uv/", r"daemon/io/", r"daemon/main\.cpp", r"daemon/config", *OUTSIDE]),
    Rule("spdlog is behind the log", r"^[ \t]*#[ \t]*include\s*[<\"]spdlog",
         [r"common/log\.cpp", r"daemon/(?!core/|io/|report/)", *OUTSIDE]),
    Rule("libmicrohttpd and prometheus-cpp are behind daemon/http", r"^[ \t]*#[ \t]*include\s*[<\"](?:microhttpd|prometheus/)",
         [r"daemon/http/"]),
    Rule("OpenSSL is behind common/tls", r"^[ \t]*#[ \t]*include\s*[<\"]openssl/", [r"common/tls/"]),
    Rule("RapidJSON is for the files about JSON", r"^[ \t]*#[ \t]*include\s*[<\"]rapidjson/",
         [r"common/message\.cpp", r"(?:.*/)?[^/]*json[^/]*$", r"tests/"]),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include\s*[<"]([^>"]+)[>"]', re.M)


# The layers, each with those below it that its files may include besides its own.  docs/architecture.md draws them.
# `daemon` is the top of the daemon, the files that stand in no folder of it: they put the parts together, so they
# may include every part and no part may include them.
BELOW = {
    "common": [],
    "common/log": ["common"],
    "common/os": ["common"],
    "common/tls": ["common"],
    "common/uv": ["common", "common/os"],
    "common/events": ["common"],
    "daemon/core": ["common"],
    "daemon/access": ["common", "common/tls", "daemon/core"],
    "daemon/io": ["common", "common/os", "common/tls", "common/uv", "daemon/core"],
    "daemon/restart": ["common", "common/os", "daemon/core"],
    "daemon/systemd": ["common", "daemon/core"],
    "daemon/log": ["common", "common/log", "daemon/core", "daemon/systemd"],
    "daemon/config": ["common", "common/log", "common/tls", "daemon/access", "daemon/core", "daemon/systemd"],
    "daemon/report": ["common", "daemon/core", "daemon/config"],
    "daemon/events": ["common", "common/os", "common/uv", "common/events", "common/log", "daemon/core",
                      "daemon/report"],
    "daemon/control": ["common", "common/os", "common/uv", "common/log", "daemon/core", "daemon/config",
                       "daemon/report"],
    "daemon/http": ["common", "common/uv", "common/log", "daemon/core", "daemon/report"],
    "daemon": ["common", "common/os", "common/uv", "common/events", "common/log", "common/tls", "daemon/access",
               "daemon/events", "daemon/core", "daemon/io", "daemon/restart",
               "daemon/systemd", "daemon/log", "daemon/config", "daemon/report", "daemon/control", "daemon/http"],
    "tools": ["common", "common/os", "common/uv", "common/events", "common/log", "common/tls", "daemon/core"],
}


def layer_of(path):
    """The layer of a file of ours, by its path from the root.  None for a file in no layer (a test)."""
    if path.startswith("common/log"):  # log.h and log.cpp: a layer of two files, in no folder
        return "common/log"
    folder = "/".join(path.split("/")[:-1])
    while folder and folder not in BELOW:
        # A folder of the daemon that has no line above is in no layer; it must not pass as the daemon's top.
        if folder.count("/") == 1 and folder.startswith("daemon/"):
            return folder
        folder = folder.rpartition("/")[0]
    return folder or None

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
    if here is not None and here not in BELOW:
        yield 1, f"the folder {here} is in no layer: give it a line in BELOW"
    for found in INCLUDE.finditer(code):
        line = code.count("\n", 0, found.start(1)) + 1
        if ".." in found[1].split("/"):
            yield line, f"an include goes by the path from the root ({found[1]})"
        included = layer_of(found[1])
        if here in BELOW and included not in (None, here, *BELOW[here]):
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
                ("daemon/log/event_log.cpp", "#include <uv.h>"),
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
                ("common/a.h", "#include \"common/os/socket.h\""),
                ("common/os/a.h", "#include \"common/uv/loop.h\""),
                ("common/a.h", "#include \"common/log.h\""),
                ("common/uv/a.h", "#include \"daemon/io/server.h\""),
                ("daemon/core/a.h", "#include \"common/uv/loop.h\""),
                ("daemon/core/a.h", "#include \"daemon/io/server.h\""),
                ("daemon/core/a.h", "#include \"daemon/config.h\""),
                ("daemon/io/a.h", "#include \"daemon/log/event_log.h\""),
                ("daemon/io/a.h", "#include \"daemon/control/server.h\""),
                ("daemon/systemd/a.h", "#include \"daemon/log/journal.h\""),
                ("daemon/log/a.h", "#include \"daemon/config/config.h\""),
                ("daemon/log/a.h", "#include \"daemon/io/server.h\""),
                ("daemon/config/a.h", "#include \"daemon/log/event_log.h\""),
                ("daemon/config/a.h", "#include \"daemon/reload.h\""),
                ("daemon/report/a.h", "#include \"daemon/control/request.h\""),
                ("daemon/report/a.cpp", "#include \"common/uv/loop.h\""),
                ("daemon/report/a.cpp", "#include <spdlog/spdlog.h>"),
                ("daemon/control/commands/a.h", "#include \"daemon/http/route.h\""),
                ("daemon/control/a.h", "#include \"daemon/io/server.h\""),
                ("daemon/control/a.h", "#include \"daemon/operations.h\""),
                ("daemon/http/a.h", "#include \"daemon/control/request.h\""),
                ("daemon/http/a.h", "#include \"daemon/config/load.h\""),
                ("daemon/http/a.h", "#include \"daemon/io/server.h\""),
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

    def test_a_folder_that_is_in_no_layer_is_found(self):
        found = self.violations_of("daemon/new/a.h", "#pragma once\n")
        self.assertEqual(len(found), 1, found)
        self.assertIn("daemon/new is in no layer", found[0])

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
                ("daemon/control/a.cpp", "#include \"daemon/core/monitor.h\"\n#include \"daemon/config/load.h\""),
                ("daemon/daemon.cpp", "#include \"daemon/control/control_server.h\"\n#include \"daemon/io/server.h\""),
                ("daemon/log/journal.cpp", "#include \"daemon/systemd/libsystemd.h\""),
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
    # No violation in a tree whose files were not found proves nothing.
    if not any(name.startswith("daemon/core/") for name in checked):
        print("no file of daemon/core among them: is this the root?")
        return 1
    return 0 if shown.wasSuccessful() and not violations else 1


if __name__ == "__main__":
    os.environ.pop("GIT_DIR", None)
    sys.exit(main())
