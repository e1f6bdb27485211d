#!/usr/bin/env python3
"""One of the saved states that are read for ever has every field that the present code writes.

    test_saved_states.py [ROOT]

The fields are those of daemon/core/saved_state.cpp: each type that is a record, with its tags.  The files are those of
tests/unit/core/saved_states, which unit.core reads; this one looks only at which fields they have.  First shows that a
field that no file has is named.
"""
import re
import struct
import sys
import unittest
import unittest.mock
from pathlib import Path

CODE = "daemon/core/saved_state.cpp"
STATES = "tests/unit/core/saved_states"
ROOT = "the state"
ENVELOPE_BYTES = 28
# Which fields are records, and of which type.  A record that is missing here leaves its type unreached, which is red.
RECORDS = {
    (ROOT, 1): "Settings", (ROOT, 3): "Client", (ROOT, 5): "ClosedClient", (ROOT, 6): "BrakeState",
    (ROOT, 7): "BrakeReport", (ROOT, 9): "Histogram", (ROOT, 10): "Histogram", (ROOT, 11): "MarginHistogram",
    (ROOT, 8): "Counters", (ROOT, 12): "Stall", (ROOT, 14): "Sweep", (ROOT, 21): "Turn::State", (ROOT, 22): "Event",
    (ROOT, 26): "RefusedPeer", (ROOT, 27): "Condition", (ROOT, 100): "Holds", (ROOT, 120): "ClosedClient",
    (ROOT, 140): "Drain",
    ("Settings", 1): "Rule", ("Settings", 5): "ClosingBrake::Settings", ("Settings", 7): "Bounds",
    ("Settings", 10): "GroupList", ("GroupList", 1): "Group", ("Group", 2): "NamePattern", ("Group", 3): "NamePattern",
    ("Group", 6): "Rule", ("Group", 7): "Bounds", ("History", 1): "Moment", ("ClientTerms", 2): "Rule",
    ("Holds", 1): "Hold", ("Hold", 1): "NamePattern", ("Client", 2): "Liveness", ("Client", 15): "History",
    ("Client", 29): "Passage", ("Client", 102): "ClientTerms", ("ClosedClient", 8): "History",
    ("ClosedClient", 16): "Passage", ("BrakeState", 5): "BrakeSpan", ("BrakeReport", 1): "BrakeSpan",
    ("Sweep", 4): "Rule", ("Sweep", 6): "CommonTraits", ("Sweep", 7): "GroupList", ("Event", 12): "ConnId",
    ("Event", 20): "Event::Extra", ("Event::Extra", 8): "BrakeReport", ("Event::Extra", 13): "Event::OfCondition",
    ("Event::Extra", 100): "Hold", ("Turn::State", 4): "Histogram", ("RefusedPeer", 1): "Refused",
}

_BLOCK = r"^( *)(?:static )?\S+ (?:SavedFields::)?{name}\((?P<parameters>[^{{;]*)\) {{$(?P<body>.*?)^\1}}$"
_FIELD = re.compile(r"\b(?:fields|record)(?:\.(?:template )?\w+(?:<\w+>)?)?\((\d+),")


def blocks(code, name):
    return [(found["parameters"], found["body"])
            for found in re.finditer(_BLOCK.format(name=name), code, re.M | re.S)]


def fields_of_code(code):
    """{type: {tag, ...}}"""
    fields = {ROOT: set()}
    for parameters, body in blocks(code, "list"):
        kind = re.search(r"Is<([\w:]+)>", parameters)[1]
        fields[ROOT if kind == "MonitorState" else kind] = {int(tag) for tag in _FIELD.findall(body)}
    for name in ("save_state", "write_clients", "write_feed"):
        ((_, body),) = blocks(code, name)
        fields[ROOT] |= {int(tag) for tag in _FIELD.findall(body)}
    # The slot is written by write_clients().
    fields["Client"].add(1)
    return fields


def fields_of_state(content, kind=ROOT):
    """{(type, tag), ...} of what is in there, at any depth."""
    found = set()
    at = 0
    while at < len(content):
        tag, size = struct.unpack_from("<HI", content, at)
        found.add((kind, tag))
        inner = RECORDS.get((kind, tag))
        if inner is not None:
            found |= fields_of_state(content[at + 6:at + 6 + size], inner)
        at += 6 + size
    return found


def complaints(code, contents):
    known = fields_of_code(code)
    unreached = sorted(set(known) - set(RECORDS.values()) - {ROOT})
    if unreached:
        return [f"RECORDS does not say which field is a {kind}" for kind in unreached]
    wanted = {(kind, tag) for kind, tags in known.items() for tag in tags}
    lacks = min((wanted - fields_of_state(content) for content in contents), key=len, default=wanted)
    return [f"no saved state has all fields; the best one lacks field {tag} of {kind}" for kind, tag in sorted(lacks)]


class SavedStates(unittest.TestCase):
    CODE = """
  static void list(auto& fields, Is<Settings> auto& settings) {
    fields(1, settings.rule);
  }
  static void list(auto& fields, Is<Rule> auto& rule) {
    fields(1, rule.tick);
    fields.text(2, rule.name, kMax);
  }
  static void list(auto& fields, Is<Client> auto& client, auto& unfinished) {
    fields.template by_word<Reason>(3, client.reasons);
  }
  static void list(auto& fields, Is<MonitorState> auto& state) {
    fields.each(12, state.listeners, kMax);
  }
void SavedFields::write_clients(FieldsWritten& fields, const Registry& clients) {
  fields.record(3, [&](FieldsWritten& record) {
    record(1, slot);
  });
}
void SavedFields::write_feed(FieldsWritten& fields, const Feed& feed) {
}
std::string save_state(const StateToSave& state) {
  fields(1, state.settings);
}
"""

    @staticmethod
    def field(tag, value=b""):
        return struct.pack("<HI", tag, len(value)) + value

    def state(self, *rule_tags):
        rule = b"".join(self.field(tag) for tag in rule_tags)
        return (self.field(1, self.field(1, rule)) + self.field(3, self.field(1) + self.field(3)) + self.field(12))

    def setUp(self):
        few = {(ROOT, 1): "Settings", ("Settings", 1): "Rule", (ROOT, 3): "Client"}
        patch = unittest.mock.patch.dict(RECORDS, few, clear=True)
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_state_with_all_fields_is_enough(self):
        self.assertEqual(complaints(self.CODE, [self.state(1), self.state(1, 2)]), [])

    def test_a_field_that_no_state_has_is_named(self):
        self.assertEqual(complaints(self.CODE, [self.state(1)]),
                         ["no saved state has all fields; the best one lacks field 2 of Rule"])
        self.assertEqual(len(complaints(self.CODE, [])), 8)

    def test_fields_that_only_several_states_have_together_are_not_enough(self):
        self.assertEqual(complaints(self.CODE, [self.state(1), self.state(2)]),
                         ["no saved state has all fields; the best one lacks field 2 of Rule"])

    def test_a_record_that_is_not_known_is_named(self):
        del RECORDS[("Settings", 1)]
        self.assertEqual(complaints(self.CODE, []), ["RECORDS does not say which field is a Rule"])


def main():
    tests = unittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromTestCase(SavedStates))
    if not tests.wasSuccessful():
        sys.exit(1)
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    contents = [path.read_bytes()[ENVELOPE_BYTES:] for path in sorted((root / STATES).iterdir())]
    red = complaints((root / CODE).read_text(encoding="utf-8"), contents)
    for line in red:
        print(line)
    if red:
        print(f"write a new file of {STATES}, see everything() in tests/unit/core/saved_state_test.cpp; the old ones stay")
    sys.exit(1 if red else 0)


if __name__ == "__main__":
    main()
