#!/usr/bin/env python3
"""What HTTP answers, and what it refuses."""
import socket
import subprocess
import time
import unittest

import surfer
from surfer import harness

NAME = '<img src=x onerror=alert(1)> "ü/?&'


class Api(surfer.HttpTest):
    def test_the_page_is_one_document_that_may_run_only_itself(self):
        daemon = self.start()
        page = self.get(daemon, "/")
        self.assertEqual((page.status, page.headers["content-type"]), (200, "text/html; charset=utf-8"))
        policy = page.headers["content-security-policy"]
        for rule in ["default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "connect-src 'self'",
                     "img-src 'self' data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]:
            self.assertIn(rule, policy)
        self.assertLess(len(page.body.encode()), 100_000)
        for own in ["style.css", "page.js"]:
            self.assertNotIn(f'="{own}"', page.body)

        again = self.get(daemon, "/", headers={"If-None-Match": page.headers["etag"]})
        self.assertEqual((again.status, again.body), (304, ""))

    def test_every_answer_forbids_what_it_does_not_need(self):
        daemon = self.start()
        for path in ["/", "/api/status", "/api/clients", "/api/history", "/metrics", "/healthz", "/nowhere"]:
            with self.subTest(path):
                headers = self.get(daemon, path).headers
                self.assertIn("default-src 'none'", headers["content-security-policy"])
                self.assertEqual(headers["x-content-type-options"], "nosniff")
                self.assertEqual(headers["x-frame-options"], "DENY")
                self.assertEqual(headers["referrer-policy"], "no-referrer")
                self.assertEqual(headers["cross-origin-resource-policy"], "same-origin")
                self.assertIn(headers["cache-control"], ["no-store", "no-cache"])
                self.assertNotIn("access-control-allow-origin", headers)

    def test_the_status_is_that_of_the_control_socket(self):
        daemon = self.start()
        self.join(daemon, "pump-7")
        answer = self.get(daemon, "/api/status")
        self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")
        status = answer.json
        self.assertEqual((status["type"], status["clients"]["alive"], status["totals"]["joins"]), ("status", 1, 1))

    def test_a_list_is_filtered_sorted_and_paged(self):
        daemon = self.start()
        for number in range(25):
            self.join(daemon, f"pump-{number:02}")
        quiet = self.join(daemon, "valve-1")
        quiet.sync(status="leave")

        def names(query):
            return [client["name"] for client in self.get(daemon, "/api/clients" + query).json["clients"]]
        self.assertEqual(names("?status=leave"), ["valve-1"])
        self.assertEqual(names("?sort=name&limit=2"), ["pump-00", "pump-01"])
        self.assertEqual(names("?sort=name&match=*-1%3F"), [f"pump-{number}" for number in range(10, 20)])
        self.assertEqual(names("?match=nobody"), [])
        self.assertEqual(len(names("")), 26)

        seen, cursor = [], ""
        for page in range(3):
            answer = self.get(daemon, f"/api/clients?limit=10{cursor}").json
            seen += [client["name"] for client in answer["clients"]]
            self.assertEqual("next" in answer, page < 2)
            cursor = "&cursor=" + answer.get("next", "")
        self.assertEqual(len(set(seen)), 26)

    def test_a_story_is_found_by_any_name(self):
        daemon = self.start()
        self.join(daemon, NAME)
        story = self.get(daemon, "/api/clients/" + surfer.urllib.parse.quote(NAME, safe="")).json
        self.assertEqual((story["type"], story["client"]["name"], story["connected_now"]), ("story", NAME, True))
        self.assertEqual(self.get(daemon, "/api/clients/nobody").json["code"], "no_such_client")
        for name in [".", "..", "a/../b", "pump ", "x" * 128]:
            with self.subTest(name):
                self.join(daemon, name)
                story = self.get(daemon, "/api/client?name=" + surfer.urllib.parse.quote(name, safe="")).json
                self.assertEqual((story["type"], story["client"]["name"]), ("story", name))

    def test_closed_clients_are_listed(self):
        daemon = self.start()
        self.assertEqual(self.get(daemon, "/api/closed").json, {"closed": [], "matching": 0, "remembered": 0, "missing": 0})
        for number in range(3):
            time.sleep(0.01)
            self.join(daemon, f"pump-{number}").close()
            daemon.wait("close", client=f"pump-{number}")
        time.sleep(0.01)  # of one millisecond's closes none is the last
        self.join(daemon, "valve-1", status="close")
        daemon.wait("close", client="valve-1")

        def names(query):
            return [client["name"] for client in self.get(daemon, "/api/closed" + query).json["closed"]]
        self.assertEqual(names(""), ["valve-1", "pump-2", "pump-1", "pump-0"])
        self.assertEqual(names("?limit=1"), ["valve-1"])
        self.assertEqual(names("?match=pump-*&since=1h"), ["pump-2", "pump-1", "pump-0"])
        self.assertEqual(names("?reason=goodbye"), ["valve-1"])
        closed = self.get(daemon, "/api/closed?limit=1").json
        self.assertEqual((closed["matching"], closed["remembered"]), (4, 4))
        client = closed["closed"][0]
        self.assertEqual((client["type"], client["status"], client["close"]["reason"], client["close"]["by"]),
                         ("closed", "close", "goodbye", "client"))
        self.join(daemon, "pump-1")
        self.assertEqual(names(""), ["valve-1", "pump-2", "pump-0"])
        for query, message in [("?reason=steady", "'steady' is not one of silent"), ("?since=10", "has no unit"),
                               ("?status=close", "'status' cannot be asked here")]:
            answer = self.get(daemon, "/api/closed" + query)
            self.assertEqual(answer.status, 400)
            self.assertIn(message, answer.json["message"])

    def test_what_cannot_be_answered_is_refused_with_the_reason(self):
        daemon = self.start()
        boot = self.get(daemon, "/api/status").json["boot"]
        for path, status, message in [
                ("/nowhere", 404, "there is nothing at '/nowhere'"),
                ("/api", 404, "there is nothing"),
                ("/page.js", 404, "there is nothing"),
                ("/api/clients/%zz", 400, "not a percent-encoded name"),
                ("/api/clients/%ff", 400, "not a percent-encoded name"),
                ("/api/clients/a%00b", 404, "no client"),
                ("/api/clients/", 400, "not a percent-encoded name"),
                ("/api/clients?limit=0", 400, "'limit': '0' is not a whole number from 1 to 1000"),
                ("/api/clients?limit=1001", 400, "'limit': '1001' is not"),
                ("/api/clients?limit=1x", 400, "'limit': '1x' is not"),
                ("/api/clients?status=close", 400, "'status': 'close' is not one of alive, leave"),
                ("/api/clients?sort=size", 400, "'sort': 'size' is not one of name, silence, margin, connected"),
                ("/api/clients?match=%5B", 400, "is not closed"),
                ("/api/clients?size=1", 400, "'size' cannot be asked here"),
                ("/api/clients?limit=1&limit=2", 400, "'limit' is given twice"),
                ("/api/clients?limit=%", 400, "not what a URL's query is made of"),
                ("/api/clients?cursor=x", 400, "is not a cursor"),
                ("/api/clients?cursor=x:1:1", 400, "of another run"),
                (f"/api/clients?sort=name&cursor={boot}:1:1", 400, "a list that is not sorted"),
                ("/api/status?x=1", 400, "'x' cannot be asked here"),
                ("/api/history?x=1", 400, "'x' cannot be asked here"),
                ("/api/events?events=leave,dance", 400, "'dance' is not one of connected"),
                ("/api/events?since=x", 400, "is not a cursor"),
                (f"/api/events?since={boot}:1000000", 400, "beyond the last event")]:
            with self.subTest(path):
                answer = self.get(daemon, path)
                self.assertEqual((answer.status, answer.json["type"]), (status, "error"), answer.body)
                self.assertIn(message, answer.json["message"])
        answer = self.get(daemon, "/api/events", headers={"Last-Event-ID": "nonsense"})
        self.assertEqual(answer.status, 400)
        # The bounds themselves are allowed.
        for limit in [1, 1000]:
            self.assertEqual(self.get(daemon, f"/api/clients?limit={limit}").status, 200)

    def test_nothing_but_questions_is_served(self):
        daemon = self.start()
        self.join(daemon, "pump-7")
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"]:
            with self.subTest(method):
                answer = self.get(daemon, "/api/clients/pump-7", method=method)
                self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD"))
                self.assertEqual(answer.json["code"], "method_not_allowed")
        self.assertEqual(self.get(daemon, "/api/status", method="POST", body="x" * 100_000).status, 405)
        self.assertEqual(self.get(daemon, "/api/status", body="{}").status, 400)
        for path in ["/", "/api/status", "/api/clients", "/api/events", "/metrics"]:
            with self.subTest(path):
                answer = self.get(daemon, path, method="HEAD")
                self.assertEqual((answer.status, answer.body), (200, ""))

    def test_a_request_that_is_meant_for_another_host_is_refused(self):
        daemon = self.start()
        port = self.address_of(daemon)[1]
        for host in ["localhost", f"localhost:{port}", "LOCALHOST", "127.0.0.1", f"127.9.9.9:{port}", "[::1]",
                     f"[::1]:{port}"]:
            with self.subTest(host):
                self.assertEqual(self.get(daemon, "/api/status", headers={"Host": host}).status, 200)
        for host in ["evil.example", f"evil.example:{port}", "localhost.evil.example", "127.0.0.1.evil.example",
                     "10.0.0.1", "[::2]", "0.0.0.0", "127.0.0.1:x", ":", "[::1"]:
            with self.subTest(host):
                answer = self.get(daemon, "/api/status", headers={"Host": host})
                self.assertEqual((answer.status, answer.json["code"]), (421, "misdirected"))
                # What a proxy in front of it has to do is said.
                self.assertIn(f"a proxy has to send 'Host: 127.0.0.1:{port}'", answer.json["message"])

    def test_heartbeats_on_this_port_are_closed_at_once_and_said_to_be_so(self):
        daemon = self.start()
        for sent in [b"\0\0\0\x33" + b'{"ip":"192.0.2.7","status":"alive"}', b"\x16\x03\x01\x02\0", b"{"]:
            with self.subTest(sent), socket.create_connection(self.address_of(daemon), surfer.BOUND_S) as peer:
                # Without the refusal the connection would stand until the request's 15 seconds were over.
                began = time.monotonic()
                peer.sendall(sent)
                self.assertEqual(peer.recv(1), b"")
                self.assertLess(time.monotonic() - began, 8)
        said = daemon.wait("http:")
        self.assertRegex(said.text, r"^http: 127\.0\.0\.1:\d+ sent no HTTP and was closed, 1 so far: heartbeats belong to the "
                                    r"address of listen, and this is http\.listen$")
        self.assertEqual(len(daemon.lines("http:")), 1)  # the others are counted
        # A request that comes byte by byte, behind an empty line, is one.
        with socket.create_connection(self.address_of(daemon), surfer.BOUND_S) as peer:
            for byte in b"\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n":
                peer.sendall(bytes([byte]))
            self.assertTrue(peer.recv(100).startswith(b"HTTP/1.1 200 "))

    def test_health_is_a_line_with_its_reason(self):
        daemon = self.start()
        for path in ["/healthz", "/readyz"]:
            answer = self.get(daemon, path)
            self.assertEqual((answer.status, answer.body), (200, "ok\n"))

    def test_history_has_a_sample_for_each_second(self):
        daemon = self.start()
        self.join(daemon, "pump-7")

        def samples():
            return self.get(daemon, "/api/history").json["samples"]
        surfer.wait_until(lambda: len(samples()) >= 2, "two seconds")
        history = self.get(daemon, "/api/history").json
        self.assertEqual(history["step_ms"], 1000)
        self.assertEqual(sum(sample["joins"] for sample in history["samples"]), 1)
        self.assertEqual(set(history["samples"][0]),
                         {"at", "alive", "leave", "joins", "leaves", "returns", "closes", "stalled_ms"})
        self.assertEqual(history["samples"][-1]["alive"], 1)

    def test_a_stall_of_the_daemon_is_in_its_history(self):
        daemon = self.start()
        self.get(daemon, "/api/status")
        daemon.stop_running()
        harness.time.sleep(2.5)  # the stall itself
        daemon.go_on()
        daemon.wait("stall")

        def stalled():
            return sum(sample["stalled_ms"] for sample in self.get(daemon, "/api/history").json["samples"])
        surfer.wait_until(lambda: stalled() > 0, "the stall in the history")
        surfer.wait_until(lambda: stalled() == self.get(daemon, "/api/status").json["stalls"]["total_ms"],
                          "all of it")


class Listening(surfer.HttpTest):
    @staticmethod
    def refused(*flags):
        """How a daemon ends that does not start."""
        run = subprocess.run([harness.DAEMON, "--listen", "127.0.0.1:0", "--log-target", "stderr", *flags],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=harness.BOUND_S,
                             check=False)
        return run.returncode, run.stderr

    def test_without_the_setting_there_is_no_http(self):
        daemon = self.start(http_listen="")
        self.assertEqual(daemon.lines("status"), [])

    def test_what_other_machines_reach_has_to_be_meant(self):
        for address in ["0.0.0.0:0", "[::]:0", "10.0.0.1:0", "fleet.example:80"]:
            for check in [[], ["--check-config"]]:
                with self.subTest(address=address, check=check):
                    code, said = self.refused("--http-listen", address, *check)
                    self.assertEqual(code, 64)
                    self.assertIn(f"--http-listen: '{address}' can be reached by other machines", said)
        daemon = self.start(http_listen="0.0.0.0:0", http_allow_remote="yes")
        port = self.address_of(daemon)[1]
        connection = surfer.http.client.HTTPConnection("127.0.0.1", port, timeout=harness.BOUND_S)
        self.addCleanup(connection.close)
        connection.request("GET", "/healthz", headers={"Host": "fleet.example"})
        self.assertEqual(connection.getresponse().status, 200)

    def test_an_address_that_is_taken_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            code, said = self.refused("--http-listen", address)
        self.assertEqual(code, 69)
        self.assertIn(f"cannot listen for HTTP on {address}: Address already in use", said)

    def test_it_listens_on_ipv6_too(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("there is no IPv6 here")
        daemon = self.start(http_listen="[::1]:0")
        self.assertEqual(self.get(daemon, "/healthz").status, 200)


if __name__ == "__main__":
    unittest.main()
