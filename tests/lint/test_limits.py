#!/usr/bin/env python3
"""Every maximum of common/limits.h is tested at it and one past it, and where that stands is written here.

    test_limits.py [ROOT]

A limit that is added without a line in the table below fails, and so does a line whose test is not there any more.
That a test really goes to the bound and one past it no program can see: whoever adds a line has looked.  What is no
bound on anything from outside says why not.
"""
import re
import sys
import tempfile
import unittest
from pathlib import Path

SETTING = ("tests/config/setting_test.cpp", "a number is accepted at both ends of its range and refused one beyond them")
GATE = "tests/unit/core/accept_gate_test.cpp"
METER = "tests/unit/core/beat_meter_test.cpp"
BOUNDS = "tests/unit/core/monitor_bounds_test.cpp"
SERVER = "tests/unit/io/server_test.cpp"
PACING = "tests/unit/io/pacing_test.cpp"
BRAKE = "tests/unit/core/closing_brake_test.cpp"
MEMORY = "tests/unit/daemon/memory_return_test.cpp"
HTTP_SHARE = ("tests/control/descriptors_test.cpp",
              "as many HTTP connections as there may be, and room for those that are about to be closed, and not one more")

# Each limit: the file and the title of the test, or in one sentence why there is none.
TABLE = {
    "kFramePrefixSize": "the format itself, not a bound",
    "kFrameMax": ("tests/process/test_framing.py",
                  "test_the_longest_is_accepted_and_one_more_is_refused_on_its_prefix_alone"),
    "kJsonDepthMax": ("tests/unit/common/message_test.cpp", "objects and arrays may be nested 16 deep and no deeper"),
    "kClaimedIpMax": ("tests/unit/common/message_test.cpp", "an ip is 1 to 64 bytes"),
    "kIdMax": ("tests/unit/common/message_test.cpp", "an id is 1 to 64 bytes of printable text"),
    "kExcerptMax": ("tests/unit/core/monitor_bad_input_test.cpp",
                    "a bad body as long as an excerpt is told whole, and one byte more is cut"),

    "kReadBufferSize": ("tests/unit/uv/stream_test.cpp",
                        "of one stream a turn reads as much as it may, and not a byte more"),
    "kReadBytesPerTurn": (SERVER, "of one client a turn reads 16 KiB, and whoever has sent less is heard in the same turn"),
    "kReadBytesHeldBack": (SERVER, "one that was once held back is read 1 KiB in a turn"),
    "kMemoryReserve": ("tests/unit/io/memory_reserve_test.cpp",
                       "what is kept back is as much as said, and all of it is given back at once"),
    "kWriteQueueMax": ("tests/unit/uv/stream_test.cpp", "as many bytes as the bound may wait, and one more is refused"),
    "kDescriptorHeadroom": ("tests/control/descriptors_test.cpp",
                            "with not more than our own there are none for anybody"),
    "kListenersMax": ("tests/config/setting_test.cpp",
                      "64 addresses are accepted, 65 are not, and each mistake in a list has its place"),
    "kLingerMax": ("tests/process/test_shutdown.py", "test_a_client_that_neither_reads_nor_closes_does_not_hold_it_up"),
    "kLingeringMax": (SERVER, "32 closed clients linger until they have read their notice, and one more lets the oldest go"),
    "kShutdownMax": ("tests/unit/uv/loop_test.cpp", "a drain is bounded, and names what was left open"),

    "kTickMin": SETTING,
    "kTickMax": SETTING,
    "kRuleCountMax": SETTING,
    "kLeaveTimeoutMax": SETTING,
    "kClientsDefault": "a default",
    "kClientsMax": SETTING,
    "kRememberDefault": "a default",
    "kRememberMax": SETTING,
    "kHelloTimeoutDefault": (BOUNDS, "the first heartbeat is in time a millisecond before, and too late at the instant itself"),
    "kHelloTicksMin": (BOUNDS, "slow ticks make hello_timeout longer: who beats once a tick may wait a tick to begin"),
    "kFrameTimeoutDefault": (BOUNDS, "the end of a frame is in time a millisecond before, and too late at the instant itself"),
    "kPeerTimeoutMax": SETTING,
    "kBeatRateDefault": "a default",
    "kBeatRateMax": SETTING,
    "kBeatBurst": (METER, "at once as many as ten seconds bring are allowed, and not one more"),
    "kBeatBurstMin": (METER, "a hundred at once are allowed at any rate, and not one more"),
    "kAcceptRateDefault": "a default",
    "kAcceptRateMax": SETTING,
    "kAcceptBurst": (GATE, "two seconds' worth come at once, and not one more; then it is shut for 50 ms"),
    "kAcceptsPerTurn": (SERVER, "a turn accepts as many connections as it may, and leaves the others to the next ones"),
    "kAcceptPause": (GATE, "two seconds' worth come at once, and not one more; then it is shut for 50 ms"),
    "kAcceptQuiet": (GATE, "pauses are counted with their length, and one is told after ten seconds without any"),
    "kBacklogMax": SETTING,
    "kSocketPathMax": ("tests/config/setting_test.cpp",
                       "a control path may have as many bytes as a socket's address holds, and not one more"),
    "kConfigFileMax": ("tests/config/config_file_test.cpp", "a file is read up to its bound and refused one byte past it"),
    "kConfigErrorsShown": ("tests/config/config_file_test.cpp",
                           "as many mistakes as are shown are shown, and one more is a count"),
    "kMomentsMax": ("tests/unit/core/history_test.cpp",
                    "as many moments as said are kept; one past it the oldest gap makes room"),
    "kFeedMax": ("tests/unit/core/feed_test.cpp", "a feed holds as many events as said, and one past it the oldest is let go"),
    "kStallsMax": ("tests/unit/core/monitor_test.cpp", "so many stalls are remembered, the latest, and all are counted"),

    "kStallLimit": ("tests/unit/core/listening_clock_test.cpp",
                    "a gap counts for a second at the most, and never for more than a tick"),
    "kPulse": ("tests/unit/core/listening_clock_test.cpp",
               "the loop wakes well within the stall limit, and never in a tight circle"),
    "kPauseMax": SETTING,
    "kPausesPerTick": (PACING, "the pause is a 200th of a tick, and never more than the longest"),
    "kPauseMin": (PACING, "there is no pause where it would gather next to nothing"),
    "kReadsPerTurn": (PACING, "a pause lets about a hundred reads gather"),
    "kPauseWorthReads": (PACING, "there is no pause where it would gather next to nothing"),
    "kPauseHoldOff": (PACING, "there is none for a while after somebody came or asked"),
    "kAckLatencyMax": (PACING, "clients that ask for acks wait for 5 ms at the most"),
    "kPaceEvery": "how often a mean is taken, not a bound",
    "kUrgentDescriptorsMax": ("tests/unit/uv/rest_test.cpp",
                              "all descriptors up to the bound are watched, and those beyond are not"),
    "kWallDriftMax": ("tests/control/wall_clock_test.cpp",
                      "the grain of the readings changes nothing, and drift beyond it does"),
    "kWallStepsMax": ("tests/control/wall_clock_test.cpp", "of more steps than are remembered the oldest are forgotten"),
    "kStatusEvery": ("tests/unit/daemon/service_manager_test.cpp",
                     "the status line changes when the counts do, and once a second at most"),
    "kStatusEndpoints": ("tests/unit/daemon/service_manager_test.cpp",
                         "the status line names three addresses and counts the rest"),
    "kLogSecond": ("tests/unit/daemon/flood_control_test.cpp",
                   "a second begins with its first event and is over a second later, not before"),
    "kLogRateDefault": "a default",
    "kLogRateMax": SETTING,
    "kSumNames": ("tests/unit/daemon/flood_control_test.cpp",
                  "a sum is as severe as the worst in it, and names the first few"),
    "kFightTakeovers": ("tests/unit/core/monitor_test.cpp",
                        "two connections that take an id from each other again and again are a fight, told once"),
    "kSlowGapsInARow": ("tests/unit/core/monitor_test.cpp",
                        "clients that beat steadily but slower than the tick are told of, once for all"),

    "kControlFrameMax": ("tests/control/test_sessions.py", "test_a_request_of_the_longest_length_is_read"),
    "kControlSessionsMax": ("tests/control/descriptors_test.cpp",
                            "with descriptors to spare a thousand watchers and more have theirs"),
    "kControlSessionsShare": ("tests/control/test_sessions.py",
                              "test_as_many_sessions_as_there_may_be_are_served_and_one_more_is_busy"),
    "kControlBacklog": "the kernel's queue, which is the kernel's to bound",
    "kControlSliceBytes": ("tests/control/list_answer_test.cpp",
                           "no slice of a list of 200 000 does more than a turn's steps or makes more than a slice's bytes"),
    "kControlStepsPerTurn": ("tests/control/list_answer_test.cpp",
                             "no slice of a list of 200 000 does more than a turn's steps or makes more than a slice's bytes"),
    "kStepsPerObject": "a weight, not a bound",
    "kStepsPerRank": "a weight, not a bound",
    "kStepsPerKick": "a weight, not a bound",
    "kStepsPerOnce": "a weight, not a bound",
    "kStepsPerWrite": "a weight, not a bound",
    "kListDefault": "a default",
    "kListMax": ("tests/control/request_test.cpp", "what is not a request is refused with what is wrong"),
    "kSortedListsMax": ("tests/control/list_answer_test.cpp",
                        "only so many sorted lists are made at once, and one that ends makes room"),
    "kKickMessageMax": ("tests/control/request_test.cpp", "an operator's message is one printable line of bounded length"),
    "kControlAnswerDefault": "a default",
    "kControlAnswerMax": ("tests/ctl/command_line_test.py", "test_each_mistake_is_named"),
    "kControlRetry": "how often it is tried again, not a bound",
    "kTopRefresh": "how often it is asked anew, not a bound",
    "kKickBatch": ("tests/ctl/answers_test.py", "test_many_are_kicked_in_orders_that_fit_a_frame"),
    "kGlobCharactersMax": ("tests/control/glob_test.cpp",
                           "a pattern has room for its maximum of characters, and stars do not count"),
    "kRosterShown": ("tests/process/test_debug_mode.py", "test_the_list_names_twenty_and_counts_the_rest"),

    "kConnectMax": ("tests/tools/test_client.py", "test_no_answer"),
    "kReconnectFirst": ("tests/tools/backoff_test.cpp", "the longest wait doubles from 500 ms up to 30 s, and stays there"),
    "kReconnectMax": ("tests/tools/backoff_test.cpp", "the longest wait doubles from 500 ms up to 30 s, and stays there"),
    "kConnectingMax": ("tests/tools/test_sim.py", "test_a_daemon_that_accepts_nobody"),
    "kClientsPerSource": "by it the simulator chooses how many addresses to use when nothing is said",
    "kSourcesMax": ("tests/tools/sim_options_test.cpp",
                    "as many source addresses as there are may be asked for, and not one more"),
    "kViolationsTold": ("tests/tools/report_test.cpp", "broken promises are told up to a bound, and then counted"),
    "kBrakeShareDefault": "a default",
    "kBrakeShareMax": SETTING,
    "kBrakeClientsDefault": "a default",
    "kBrakeWindowDefault": "a default",
    "kBrakeWindowMax": SETTING,
    "kBrakePauseMax": SETTING,
    "kBrakesMax": (BRAKE, "as many spans are remembered as the bound says, and one more lets go of the oldest"),
    "kSuspensionMin": ("tests/unit/core/listening_clock_test.cpp",
                       "a suspension is noticed once, with its length, and the grain of the clocks is none"),
    "kPollsAfterStall": "what a stall takes to be heard, not a bound",
    "kBurstMin": (MEMORY, "a few clients are no burst"),
    "kMemoryReturnEvery": (MEMORY, "it is looked at now and then, not at each turn, and a peak between is seen"),
    "kLogWaitMax": ("tests/process/test_fairness.py", "test_a_log_that_nobody_reads_holds_up_nobody"),

    "kHttpConnectionsMax": HTTP_SHARE,
    "kHttpConnectionsShare": ("tests/http/test_abuse.py",
                              "test_answers_that_nobody_reads_are_bounded_and_one_more_connection_is_turned_away"),
    "kHttpClosingMax": HTTP_SHARE,
    "kHttpFollowersMax": ("tests/http/test_events.py", "test_as_many_follow_as_are_allowed_and_not_one_more"),
    "kHttpConnectionMemory": ("tests/http/test_abuse.py", "test_a_request_that_is_too_large_is_refused"),
    "kHttpBlock": "the size of a piece, not a bound",
    "kHttpResumedPerTurn": "how many are looked at in a turn; the others come in the next",
    "kHttpSendBuffer": ("tests/http/test_abuse.py",
                        "test_followers_that_never_read_cost_a_bounded_memory_and_are_told_what_they_lost"),
    "kHttpRequestMax": ("tests/http/test_abuse.py",
                        "test_a_request_that_is_dribbled_ends_by_the_clock_however_busy_it_is"),
    "kHttpAnswerMax": ("tests/http/test_abuse.py",
                       "test_answers_that_nobody_reads_are_bounded_and_one_more_connection_is_turned_away"),
    "kHttpIdleMax": ("tests/http/test_abuse.py", "test_thousands_of_idle_connections_keep_no_scrape_out"),
    "kHttpBacklog": "the kernel's queue, which is the kernel's to bound",
    "kHttpStepsPerTurn": ("tests/http/replies_test.cpp", "a list is one JSON object, in whatever slices it is made"),
    "kStepsPerScrape": "a weight, not a bound",
    "kHttpListDefault": "a default",
    "kHttpListMax": ("tests/http/route_test.cpp", "a limit is taken at both ends of its range and refused one beyond them"),
    "kHttpEventsEvery": "how often followers are told, not a bound",
    "kHistorySeconds": ("tests/control/timeline_test.cpp",
                        "as many seconds are remembered as are allowed, and one more lets the oldest go"),
    "kPageMax": ("tests/http/page_test.cpp", "the page is one document below its bound that loads nothing"),
    "kHttpRefusalsTold": "how often the log tells of refusals, not a bound",
    "kSeedsMax": ("tests/tools/sim_options_test.cpp", "as many seeds as there may be can be asked for, and not one more"),
    "kVirtualDefault": "a default",
}

CONSTANT = re.compile(r"^inline constexpr [\w:<> ]+?\b(k\w+)\s*(?:\{|=)", re.M)


def names_in(header):
    return CONSTANT.findall(header)


def titles_in(text):
    """The titles of the tests in a file: of doctest, joined over its lines, or of Python's functions."""
    titles = {"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found))
              for found in re.findall(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', text)}
    return titles | set(re.findall(r"^\s*def (test_\w+)", text, re.M))


def check(root, table):
    """What is wrong, a sentence each."""
    header = Path(root, "common/limits.h").read_text(encoding="utf-8")
    names = names_in(header)
    # A constant in a form that is not looked for would go unseen.
    missed = header.count("inline constexpr") - len(names)
    if missed:
        yield f"{missed} constants of limits.h are in a form that is not read here"
    for name in names:
        if name not in table:
            yield f"{name} has no test at it and one past it: write one, and name it in the table"
    for name, where in table.items():
        if name not in names:
            yield f"{name} is in the table, and not in limits.h"
        elif not isinstance(where, str):
            path, title = where
            file = Path(root, path)
            if not file.is_file() or title not in titles_in(file.read_text(encoding="utf-8")):
                yield f"{name}: there is no test '{title}' in {path}"


class CanFail(unittest.TestCase):
    HEADER = ("inline constexpr std::size_t kA = 1;\ninline constexpr Millis kB{2};\n"
              "inline constexpr unsigned kC =\n    3;\n")
    TEST = 'TEST_CASE("at it, "\n          "and past it") {}\nTEST_CASE("other") {}\n'

    def wrong(self, table, header=HEADER):
        with tempfile.TemporaryDirectory() as root:
            for path, text in [("common/limits.h", header), ("tests/a_test.cpp", self.TEST),
                               ("tests/test_b.py", "class X:\n    def test_past(self):\n")]:
                Path(root, path).parent.mkdir(exist_ok=True)
                Path(root, path).write_text(text, encoding="utf-8")
            return list(check(root, table))

    RIGHT = {"kA": ("tests/a_test.cpp", "at it, and past it"), "kB": ("tests/test_b.py", "test_past"), "kC": "a default"}

    def test_a_right_table(self):
        self.assertEqual(self.wrong(self.RIGHT), [])

    def test_each_mistake(self):
        for table, said in [({**self.RIGHT, "kA": ("tests/a_test.cpp", "at it")}, "no test 'at it'"),
                            ({**self.RIGHT, "kB": ("tests/no.py", "test_past")}, "no test 'test_past'"),
                            ({**self.RIGHT, "kD": "a default"}, "kD is in the table"),
                            ({name: self.RIGHT[name] for name in ("kA", "kB")}, "kC has no test")]:
            wrong = self.wrong(table)
            self.assertEqual(len(wrong), 1, wrong)
            self.assertIn(said, wrong[0])
        self.assertIn("1 constants", self.wrong(self.RIGHT, self.HEADER + "inline constexpr int odd[] = {1};\n")[0])


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    shown = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromTestCase(CanFail))
    wrong = list(check(root, TABLE))
    for sentence in wrong:
        print(sentence)
    print(f"{len(TABLE)} limits, {len(wrong)} mistakes")
    return 0 if shown.wasSuccessful() and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
