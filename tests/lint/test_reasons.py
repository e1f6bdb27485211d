#!/usr/bin/env python3
"""Every place that words the close reasons has each reason of the table, and no other.

    test_reasons.py [ROOT]

The table is daemon/core/reason.h; code that includes it walks it.  These places cannot include it: the status page,
what the shell offers behind `heartbeatctl closed --reason`, the wire protocol's document, and the reference client's help
text and manual page.  First shows that a reason that is
missing or unknown is found.
"""
import re
import sys
import unittest
from pathlib import Path

TABLE = "daemon/core/reason.h"
# A peer is not sent these: its connection is gone when the daemon learns of them.
NEVER_SENT = {"peer_closed", "reset", "crash", "absent"}
# No client is lost by these: it goes on in another connection, or never was one.
NO_LOSS = {"superseded", "never_spoke"}


def rows(header):
    """(word, party) of each row; the party is None where the reason ends no connection."""
    table = header[header.index("kReasons{{"):]
    return [(word, party.lower() or None) for word, party in re.findall(
        r'\{Reason::\w+,\s*"(\w+)",\s*"[^"]*",\s*(?:Party::(\w+)|\{\})', table)]


def page_words(script, table="REASONS"):
    block = re.search(rf"const {table} = \{{(.*?)\}};", script, re.S)[1]
    return set(re.findall(r"^\s*(\w+):", block, re.M))


def offered_words(source):
    block = re.search(r"kReasons\{(.*?)\};", source, re.S)[1]
    return set(re.findall(r'"(\w+)"', block))


def protocol_rows(document):
    block = document.split("### Reasons for a close")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \| (\w+) \|", block, re.M))


def listed(text, words):
    """Those of `words` that stand in the text."""
    return {word for word in words if re.search(rf"(?<![\w]){word}(?![\w])", text)}


def mistakes(header, script, fleet, offered, protocol, client_help, client_manual):
    """A sentence for each."""
    table = rows(header)
    closing = {row for row in table if row[1]}
    sent = {word for word, _ in closing} - NEVER_SENT

    def compare(place, has, wants):
        for missing in sorted(map(str, wants - has)):
            yield f"{place} lacks {missing}"
        for unknown in sorted(map(str, has - wants)):
            yield f"{place} has {unknown}, which is not in {TABLE}"

    yield from compare("the page (transitions.js)", page_words(script), {word for word, _ in table})
    closes = {word for word, _ in closing}
    yield from compare("the page (fleet.js)", page_words(fleet, "CLOSED_HOW"), closes - NO_LOSS)
    yield from compare("the completion of heartbeatctl (closed.cpp)", offered_words(offered), closes)
    yield from compare("docs/protocol.md", protocol_rows(protocol), closing)
    yield from compare("the help of heartbeat-client", listed(client_help, sent), sent)
    yield from compare("heartbeat-client(1)", listed(client_manual, sent), sent)


class CanFail(unittest.TestCase):
    HEADER = ('kReasons{{\n {Reason::Silent, "silent", "was silent", Party::Daemon, true, X},\n'
              ' {Reason::Declared, "declared", "declared it", {}, false, X},\n'
              ' {Reason::Reset,\n "reset",\n "lost it",\n Party::Client, false, X},\n}};')
    SCRIPT = "const REASONS = {\n  silent: 'x',\n  declared: 'y',\n  reset: 'z',\n};"
    FLEET = "const CLOSED_HOW = {\n  silent: 'x',\n  reset: 'z',\n};"
    OFFERED = 'kReasons{"silent", "reset"};'
    PROTOCOL = "### Reasons for a close\n\n| `silent` | daemon | x |\n| `reset` | client | y |\n\n## Next\n"

    def found(self, header=HEADER, script=SCRIPT, fleet=FLEET, offered=OFFERED, protocol=PROTOCOL, client="silent"):
        return list(mistakes(header, script, fleet, offered, protocol, client, client))

    def test_places_that_agree(self):
        self.assertEqual(rows(self.HEADER), [("silent", "daemon"), ("declared", None), ("reset", "client")])
        self.assertEqual(self.found(), [])

    def test_each_mistake(self):
        new = self.HEADER.replace("\n}};", '\n {Reason::New, "new", "is new", Party::Daemon, true, X},\n}};')
        self.assertEqual(len(self.found(header=new)), 6)
        for arguments, said in [({"script": self.SCRIPT.replace("reset", "rest")}, "lacks reset"),
                                ({"fleet": self.FLEET.replace("reset", "rest")}, "(fleet.js) lacks reset"),
                                ({"offered": self.OFFERED.replace("reset", "rest")}, "has rest"),
                                ({"protocol": self.PROTOCOL.replace("| client |", "| daemon |")}, "'client'"),
                                ({"protocol": self.PROTOCOL.replace("reset", "rest")}, "lacks ('reset'"),
                                ({"client": "silently"}, "lacks silent")]:
            wrong = self.found(**arguments)
            self.assertTrue(any(said in sentence for sentence in wrong), (arguments, wrong))


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
    shown = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromTestCase(CanFail))
    texts = [(root / path).read_text(encoding="utf-8") for path in
             (TABLE, "daemon/http/page/transitions.js", "daemon/http/page/fleet.js", "tools/ctl/commands/closed.cpp",
              "docs/protocol.md", "tools/client/options.cpp",
              "docs/man/heartbeat-client.1")]
    wrong = list(mistakes(*texts))
    for sentence in wrong:
        print(sentence)
    count = len(rows(texts[0]))
    declared = int(re.search(r"kReasonCount = (\d+)", texts[0])[1])
    if count != declared:
        print(f"{count} rows are read of {TABLE}, which has {declared}")
    return 0 if shown.wasSuccessful() and not wrong and count == declared else 1


if __name__ == "__main__":
    sys.exit(main())
