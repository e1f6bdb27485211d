#!/usr/bin/env python3
"""What is in the package, without installing it: usage: contents_test.py DIRECTORY BUILD CMAKE"""

import glob
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from box import only_package_in

OPTION = r"(?<![\w-])--[a-z][a-z-]+"

PACKAGE = BUILD = CMAKE = None


def run(*command, **environment):
    return subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment}).stdout


def without_directories(tree):
    """Paths of the files below a directory, with their permissions."""
    return {(os.path.join(top, name)[len(tree):], oct(os.lstat(os.path.join(top, name)).st_mode))
            for top, _, files in os.walk(tree) for name in files}


class Contents(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.tree = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tree)
        run("dpkg-deb", "--extract", PACKAGE, self.tree)

    def page(self, name):
        with gzip.open(f"{self.tree}/usr/share/man/man{name[-1]}/{name}.gz", "rt", encoding="utf-8") as page:
            return re.sub(r"\\f[BIRP]", "", page.read()).replace("\\-", "-")

    def programs(self):
        return [path for path, _ in without_directories(self.tree) if re.match(r"/usr/s?bin/", path)]

    def help_of(self, program):
        """What it says of itself and of each of its commands."""
        text = run(program, "--help")
        _, _, commands = text.partition("Subcommands:\n")
        for command in re.findall(r"^  ([a-z-]+) ", commands.split("\n\n")[0], re.MULTILINE):
            text += run(program, command, "--help")
        return text

    def test_links_of_the_documents_lead_to_files_of_the_package(self):
        top = f"{self.tree}/usr/share/doc/heartbeatd"
        documents = glob.glob(f"{top}/**/*.md", recursive=True)
        self.assertGreater(len(documents), 10)
        followed = 0
        for document in documents:
            with open(document, encoding="utf-8") as text:
                links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text.read())
            for link in links:
                if not link.startswith("http"):
                    followed += 1
                    self.assertTrue(os.path.exists(os.path.join(os.path.dirname(document), link)), (document, link))
        self.assertGreater(followed, 20)

    def test_lintian_finds_no_error(self):
        if shutil.which("lintian") is None:
            self.skipTest("lintian is not installed")
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", PACKAGE], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_cmake_installs_the_same_tree(self):
        with tempfile.TemporaryDirectory() as tree:
            run(CMAKE, "--install", BUILD, DESTDIR=tree)
            self.assertEqual(without_directories(tree), without_directories(self.tree))

    def test_it_depends_on_the_libraries_that_its_programs_link(self):
        depends = run("dpkg-deb", "--field", PACKAGE, "Depends")
        for library in ("libuv1", "libspdlog1", "libstdc++6"):
            self.assertIn(library, depends)

    def test_every_program_has_a_page_that_knows_its_options_and_no_others(self):
        for path in self.programs():
            name = os.path.basename(path)
            options = set(re.findall(OPTION, self.help_of(self.tree + path)))
            page = self.page(name + (".8" if "/sbin/" in path else ".1"))
            self.assertEqual(set(re.findall(OPTION, page)), options, name)

    def test_a_c_program_is_built_with_the_library_alone(self):
        config = run("pkg-config", "--define-variable=prefix=" + self.tree + "/usr", "--cflags", "--libs", "heartbeat_client",
                     PKG_CONFIG_PATH=glob.glob(f"{self.tree}/usr/lib/*/pkgconfig")[0]).split()
        program = f"{self.tree}/program.c"
        with open(program, "w", encoding="utf-8") as source:
            source.write("#include <heartbeat_client.h>\n"
                         "int main(void) { const struct heartbeat_options options = {.id = \"\"};"
                         " return heartbeat_start(&options) != 0; }\n")
        run("cc", program, *config, "-o", f"{self.tree}/program")
        run(f"{self.tree}/program")  # an empty id is refused
        self.assertIn("heartbeat_start", self.page("heartbeat_client.3"))

    def test_every_program_is_completed(self):
        for path in self.programs():
            self.assertTrue(os.path.exists(
                f"{self.tree}/usr/share/bash-completion/completions/{os.path.basename(path)}"), path)

    def test_pages_are_well_formed(self):
        pages = [path for path, _ in without_directories(self.tree) if path.startswith("/usr/share/man/")]
        self.assertIn("/usr/share/man/man5/heartbeatd.toml.5.gz", pages)
        for path in pages:
            done = subprocess.run(["man", "--warnings", "-l", self.tree + path], capture_output=True, text=True,
                                  check=False, env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFOPT": "-wall"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), path)


if __name__ == "__main__":
    PACKAGE = only_package_in(sys.argv.pop(1))
    BUILD, CMAKE = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main(verbosity=2)
