#!/usr/bin/env python3
"""The first example of a client's README, run as it stands.  Usage: test_readme.py c|python|node|go FOLDER

Only the daemon's port is replaced by that of a scripted server, which must get a heartbeat at once, with the id, and
the goodbye at the end of the example.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from scripted_server import Server

BLOCK = {"c": "c", "python": "python", "node": "js", "go": "go"}
FILE = {"c": "example.c", "python": "example.py", "node": "example.mjs", "go": "main.go"}


def command(language, source, folder, work):
    """How the example is run; builds it first where that is needed."""
    if language == "c":
        program = f"{work}/example"
        subprocess.run(["cc", "-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-pedantic", "-Werror", "-I",
                        folder, source, f"{folder}/heartbeat_client.c", "-o", program, "-pthread"], check=True)
        return [program], {}
    if language == "python":
        return [sys.executable, source], {"PYTHONPATH": folder}
    if language == "node":
        shutil.copy(f"{folder}/heartbeat_client.mjs", work)
        return ["node", source], {}
    with open(f"{work}/go.mod", "w", encoding="utf-8") as module:
        module.write(f"module example\n\ngo 1.19\n\nrequire heartbeatd.example/heartbeat v0.0.0\n\n"
                     f"replace heartbeatd.example/heartbeat => {folder}\n")
    return ["go", "run", "."], {"GOPROXY": "off", "GOFLAGS": "-mod=mod"}


def main():
    language, folder = sys.argv[1], os.path.abspath(sys.argv[2])
    with open(f"{folder}/README.md", encoding="utf-8") as readme:
        text = readme.read()
    example = re.search(rf"```{BLOCK[language]}\n(.*?)```", text, re.DOTALL).group(1)
    assert len(text.splitlines()) <= 50, "a README of more than one screen"
    if language == "c":
        with open(f"{folder}/heartbeat_client.c", encoding="utf-8") as source:
            assert len(source.readlines()) < 400, "the C client must stay under 400 lines"
    server = Server()
    assert "14000" in example
    with tempfile.TemporaryDirectory() as work:
        source = f"{work}/{FILE[language]}"
        with open(source, "w", encoding="utf-8") as file:
            file.write(example.replace("14000", str(server.port)))
        words, environment = command(language, source, folder, work)
        process = subprocess.Popen(words, cwd=work, env={**os.environ, **environment})
        peer = server.accept(60)
        heartbeats = [peer.heartbeat(5)]
        while (heartbeat := peer.heartbeat_or_end(30)) is not None:
            heartbeats.append(heartbeat)
        peer.connection.close()
        assert process.wait(10) == 0, process.returncode
    assert [each["status"] for each in heartbeats] == ["alive", "close"], heartbeats
    assert all(each["id"] == "pump-7" for each in heartbeats), heartbeats
    print(f"{language}: alive, then goodbye")


main()
