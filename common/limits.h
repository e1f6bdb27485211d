// Every maximum in one place, each with the reason for its number. What happens at the bound, and one past
// it, is in the tests; what a peer is sent then is in docs/protocol.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/mono_time.h"

namespace heartbeat::limits {

// --- the wire -------------------------------------------------------------------------------------------

// Bytes of the length prefix: one signed 32 bit integer, big-endian (the article's struct.pack("!i")).
inline constexpr std::size_t kFramePrefixSize = 4;

// Longest frame body in bytes. A heartbeat with every member at its limit, and each of its bytes escaped, is
// under 1500; 4096 is the size of the article's own read, and bounds what one peer can make us hold.
inline constexpr std::size_t kFrameMax = 4096;

// Bytes of a PROXY protocol header of version 2 behind the 16 in which it announces them. Addresses take at
// most 216 of them; HAProxy adds the names of a client's certificate. A frame's maximum, so that a peer can
// make us hold no more before its first frame than in it.
inline constexpr std::size_t kProxyHeaderMax = 4096;

// Bytes of the name in a client's certificate that is kept: 64 characters (RFC 5280, ub-common-name) of UTF-8
// are at most 256 bytes, and ShortText holds 255.
inline constexpr std::size_t kCertificateNameMax = 255;

// Objects and arrays inside one another in a body. A heartbeat needs 1; the parser recurses, so it is
// bounded.
inline constexpr unsigned kJsonDepthMax = 16;

// Bytes of the claimed `ip` that are kept, the rest is cut off: an IPv6 address with a zone fits (46 + zone).
inline constexpr std::size_t kClaimedIpMax = 64;

// Bytes of an `id`: a UUID is 36, a host name with its domain and an instance number fits; the name of a pod
// with its namespace does, too. It is a key, kept per client, and ShortText holds twice as much.
inline constexpr std::size_t kIdMax = 128;

// Characters of a token: 16 of base64 are 96 bits, the least that cannot be guessed; the tokens that
// heartbeatctl makes have 46. And of the name of its line.
inline constexpr std::size_t kTokenMin = 16;
inline constexpr std::size_t kTokenMax = 128;
inline constexpr std::size_t kTokenNameMax = 64;

// Bytes of the file of tokens: some 30 000 lines, and read whole while the loop waits.
inline constexpr std::size_t kTokenFileMax = std::size_t{4} * 1024 * 1024;

// Longest note of a declared leave in bytes; what is longer is cut.
inline constexpr std::size_t kNoteMax = 128;

// Bytes of a bad body that are quoted in a log line, before escaping.
inline constexpr std::size_t kExcerptMax = 48;

// --- sockets --------------------------------------------------------------------------------------------

// One buffer for the whole loop, filled by each read in turn. The size libuv suggests itself.
inline constexpr std::size_t kReadBufferSize = std::size_t{64} * 1024;

// Bytes read from one client in one turn of the loop: some 250 heartbeats, about 0.1 ms. A client that sends
// as fast as it can waits for the others then. Four of the longest frames, so that each turn brings whole
// ones.
inline constexpr std::size_t kReadBytesPerTurn = std::size_t{16} * 1024;

// The same for a connection that was once held back for beating too fast: some 16 heartbeats, so that what
// is read between two pauses stays small.
inline constexpr std::size_t kReadBytesHeldBack = 1024;

// Bytes that may wait in user space for one peer that does not read. The kernel's own send buffer comes
// first; a peer with this much behind it has not read for hundreds of answers and is closed as `limit`.
inline constexpr std::size_t kWriteQueueMax = std::size_t{16} * 1024;

// Descriptors kept back from clients: standard streams, listeners, epoll, and one to accept and refuse with.
inline constexpr std::size_t kDescriptorHeadroom = 64;

// Addresses one daemon listens on.
inline constexpr std::size_t kListenersMax = 64;

// Networks of proxies in one list: a balancer has a few, and each new connection is compared with all.
inline constexpr std::size_t kNetworksMax = 64;

// How long a closed client that was written to is given to read it, before its socket is let go.
inline constexpr Millis kLingerMax{1000};

// Closed clients that linger so at once while others may still come: they use the descriptors kept back.
inline constexpr std::size_t kLingeringMax = 32;

// How long the loop may drain at shutdown.
inline constexpr Millis kShutdownMax{3000};

// Memory kept back for when there is no other: enough to end a turn of the loop with thousands of clients
// closed in it, and for libuv's table of descriptors to grow up to 65 536 of them.
inline constexpr std::size_t kMemoryReserve = std::size_t{1024} * 1024;

// --- settings -------------------------------------------------------------------------------------------

// A tick below 10 ms would be judged finer than a loop on a busy machine turns; a day is a typing error.
inline constexpr Millis kTickMin{10};
inline constexpr Millis kTickMax{24LL * 3600 * 1000};

// Ticks are counted in 16 bits; a thousand is already hours at the default tick.
inline constexpr std::uint16_t kRuleCountMax = 1000;

// A leave that lasts longer than a year is a typing error.
inline constexpr Millis kLeaveTimeoutMax{366LL * 24 * 3600 * 1000};

// Default of the clients at once: what one process is built and tested for. Descriptors bound it
// first.
inline constexpr std::size_t kClientsDefault = 1'000'000;
inline constexpr std::size_t kClientsMax = 10'000'000;

// Closed clients that are remembered, so that a client that reconnects is known.
inline constexpr std::size_t kRememberDefault = 10'000;
inline constexpr std::size_t kRememberMax = 1'000'000;

// How long a connection may take to its first heartbeat: the default, and the least in ticks. A
// client that beats once a tick may wait a whole one before it begins.
inline constexpr Millis kHelloTimeoutDefault{30'000};
inline constexpr int kHelloTicksMin = 3;

// Default of the time from a frame's first byte to its last: lost packets are
// sent again after 0.2 s, 0.4 s and so on, and half a minute is seven times in a row.
inline constexpr Millis kFrameTimeoutDefault{30'000};

// Either timeout beyond a day is a typing error.
inline constexpr Millis kPeerTimeoutMax{24LL * 3600 * 1000};

// Default of the heartbeats of one connection in a second: a hundred times what a short tick of one
// second asks for. It is a mean over ten seconds: a client that was cut off for minutes may send what has
// piled up at once, and a hundred at once are never too many.
inline constexpr unsigned kBeatRateDefault = 100;
inline constexpr unsigned kBeatRateMax = 100'000;
inline constexpr Millis kBeatBurst{10'000};
inline constexpr unsigned kBeatBurstMin = 100;

// Default of the connections accepted in a second, and the burst that is accepted without a pause: a fleet of
// 20 000 may reconnect all at once.
inline constexpr unsigned kAcceptRateDefault = 10'000;
inline constexpr unsigned kAcceptRateMax = 1'000'000;
inline constexpr Millis kAcceptBurst{2'000};

// Connections accepted in one turn of the loop, about 2 ms; the others wait for the next one.
inline constexpr unsigned kAcceptsPerTurn = 128;

// Bytes of a file of certificates, keys or revoked certificates.
inline constexpr std::size_t kTlsFileMax = std::size_t{4} * 1024 * 1024;

// Bytes that a peer may send before its TLS handshake is done: a chain of certificates is 2 to 6 KB, and
// OpenSSL alone would keep 128 KiB of a first message.
inline constexpr std::size_t kHandshakeBytesMax = std::size_t{32} * 1024;

// TLS handshakes at one time: each costs some 40 KB while it lasts.  For one more, the one that has lasted
// longest is closed.
inline constexpr std::size_t kHandshakesMax = 1024;

// Reads of unfinished TLS handshakes in one turn of the loop.  Each can cost a signature or two, 0.7 ms, or 2
// ms with a client's certificate, and a verdict waits for the end of the turn.
inline constexpr unsigned kHandshakeStepsPerTurn = 2;

// Default of the connections that a listener with TLS accepts in a second: at 0.7 ms each a fifth of a core.
inline constexpr unsigned kTlsAcceptRateDefault = 300;

// How many permits make a batch, as a time at the rate: a pause of accepting is that long, and the loop wakes
// twenty times a second for it.
inline constexpr Millis kAcceptPause{50};

// A pause of accepting is reported if there was no other for this long before it.
inline constexpr Millis kAcceptQuiet{10'000};

// Connections that may wait to be accepted on one address. Linux allows 4096 unless it is configured
// otherwise, and lowers what is more; its older versions counted in 16 bits.
inline constexpr std::int64_t kBacklogMax = 65535;

// Bytes of a file's path, as the kernel bounds it (PATH_MAX, without the zero at the end).
inline constexpr std::size_t kPathMax = 4095;

// Bytes of a Unix socket's path: sockaddr_un holds 108 on Linux, with the zero at the end.
inline constexpr std::size_t kSocketPathMax = 107;

// Bytes of a configuration file: several times one with every setting, 64 addresses and comment. toml++ lets
// go of nested tables by recursion, and a.a.a.a... makes one every two bytes; twice this many still fit
// the stack.
inline constexpr std::size_t kConfigFileMax = std::size_t{16} * 1024;

// Mistakes in a configuration that are reported at once; the rest is a count.
inline constexpr std::size_t kConfigErrorsShown = 100;

// Moments of one client's history that are kept for `why`: 48 bytes each, so at most 3 KiB for a client in
// constant trouble; a client that beats steadily has none.
inline constexpr std::size_t kMomentsMax = 64;

// Events that the change feed holds for a follower that resumes: about 2 MiB when full.
inline constexpr std::size_t kFeedMax = 4096;

// The daemon's own stalls that are remembered, to be laid over the clients' histories.
inline constexpr std::size_t kStallsMax = 256;

// --- the brake on mass closing ---------------------------------------------------------------------------

// More than this percentage of all clients, and at least this many clients: below twenty, half a fleet is a
// handful, and may well be one machine that was switched off.
inline constexpr unsigned kBrakeShareDefault = 50;
inline constexpr unsigned kBrakeShareMax = 99;
inline constexpr std::size_t kBrakeClientsDefault = 20;

// Closes this near to one another are taken to have one cause. Clients that fall silent at one moment leave
// within about two ticks, 20 s at the default tick; the pauses between make it a minute.
inline constexpr Millis kBrakeWindowDefault{60'000};
inline constexpr Millis kBrakeWindowMax{24LL * 3600 * 1000};

// How long closing pauses: long enough to be woken and look, and never so long that a fleet which is really
// gone is kept for more than that.
inline constexpr Millis kBrakePauseMax{300'000};

// The latest times that the brake held, which are remembered.
inline constexpr std::size_t kBrakesMax = 16;

// --- the daemon's own time -------------------------------------------------------------------------------

// A gap between two turns of the loop counts as this much listening at the most (or one tick, if shorter).
inline constexpr Millis kStallLimit{1000};

// The loop wakes at least this often, so that a healthy gap stays well below the stall limit.
inline constexpr Millis kPulse{250};

// The pause between two turns of the loop (daemon/core/pacing.h): at the most, and in parts of a tick. A
// heartbeat is taken to have come when it is read, so this is what the daemon itself adds to a client's
// jitter: half a hundredth of a tick, and never more than a person would notice.
inline constexpr Millis kPauseMax{50};
inline constexpr int kPausesPerTick = 200;

// Sleeping for less costs more than it saves.
inline constexpr std::chrono::microseconds kPauseMin{100};

// Reads that a turn is to find: from 50 to 250 a heartbeat costs least; more of them are lost again to cold
// caches.
inline constexpr int kReadsPerTurn = 100;

// The longest pause must gather at least this many reads, or the loop does not pause: the news of a small
// fleet is never delayed.
inline constexpr int kPauseWorthReads = 8;

// How long the loop does not pause after a connection was accepted or an operator sent a request.
inline constexpr Millis kPauseHoldOff{100};

// The longest pause while clients ask for acks: what it adds to the wait for one.
inline constexpr Millis kAckLatencyMax{5};

// How often the rate of reads is taken anew.
inline constexpr Millis kPaceEvery{100};

// Descriptors that end a pause early: all listeners, and some of the operators'.
inline constexpr std::size_t kUrgentDescriptorsMax = kListenersMax + 8;

// From here on two clocks that move apart mean that the machine was suspended: their readings are grained.
inline constexpr Millis kSuspensionMin{10};

// Polls made after a stall before its time counts: the first reads what had arrived and accepts connections,
// the second reads what these connections had sent.
inline constexpr unsigned kPollsAfterStall = 2;

// A burst of at least this many clients is worth giving its memory back: about half a megabyte. The second is
// how often the daemon looks.
inline constexpr std::size_t kBurstMin = 1'000;
inline constexpr Millis kMemoryReturnEvery{1000};

// How far the wall clock and the listening clock may move apart before it counts: their readings are grained
// to 1 ms.
inline constexpr Millis kWallDriftMax{10};

// Times that they moved apart (stalls, and settings of the wall clock) that are remembered, to convert
// earlier instants.
inline constexpr std::size_t kWallStepsMax = 256;

// --- the service manager ---------------------------------------------------------------------------------

// The status line changes at most this often: it is for people, and each change is a message.
inline constexpr Millis kStatusEvery{1000};

// Addresses named in the status line; the rest is a count.
inline constexpr std::size_t kStatusEndpoints = 3;

// --- the log --------------------------------------------------------------------------------------------

// Default of the records of one kind of event in each such time: more than a person reads, and few enough
// that all kinds at once stay a small load. One past it, the rest is summed up in one record.
inline constexpr Millis kLogSecond{1000};
inline constexpr unsigned kLogRateDefault = 100;
inline constexpr unsigned kLogRateMax = 1'000'000;

// How long a line waits while standard error cannot be written: one pulse. Then this line and the next ones
// are dropped and counted until it can be written again: a log is not worth the clients' time.
inline constexpr Millis kLogWaitMax{250};

// Clients named in such a sum.
inline constexpr std::size_t kSumNames = 5;
// --- the event journal -----------------------------------------------------------------------------------

// A segment is closed when it has this many bytes, some 45 000 events, or has been written to this long.
inline constexpr std::uint64_t kSegmentBytes = std::uint64_t{16} * 1024 * 1024;
inline constexpr Millis kSegmentAge{24 * 60 * 60 * 1000};
// A segment that is read has its last batch beyond that: a full queue, at less than 4 KiB an event.
inline constexpr std::uint64_t kSegmentReadMax = std::uint64_t{1024} * 1024 * 1024;

// Events that wait for the disk: every client of 100 000 may be closed while it hangs.  20 MB when full.
inline constexpr std::size_t kJournalQueueMax = 131'072;

// How soon the disk is tried again after it refused to write.
inline constexpr Millis kJournalRetry{1000};
// How often the list of connected clients is written beside the journal, and how soon after the start: a
// start has to read at most the events since.
inline constexpr Millis kKnownClientsEvery{10LL * 60 * 1000};
inline constexpr Millis kKnownClientsFirst{60LL * 1000};
// Of the list, at most this much waits in memory for the disk, and the lines of one slice of clients.
inline constexpr std::size_t kKnownClientsPiece = std::size_t{64} * 1024;
// A list that is larger is not read: a million clients with the longest ids are less.
inline constexpr std::uint64_t kKnownClientsFileMax = std::uint64_t{512} * 1024 * 1024;

// How often the disk is asked to hold what was written (events.sync = "second").
inline constexpr Millis kJournalSyncEvery{1000};
// How often a line says that the daemon is running: a reader knows no more of the time after the last line of
// a daemon that was killed.
inline constexpr Millis kJournalMarkEvery{60'000};
// How often segments that are too old are looked for.
inline constexpr Millis kJournalTidyEvery{60LL * 60 * 1000};
// How long the daemon waits for the disk when it ends, and when another process takes its place: that
// process writes what is left from the feed that it is handed.
inline constexpr Millis kJournalFinishMax{2000};
inline constexpr Millis kJournalHandOverMax{200};

inline constexpr Millis kJournalKeepMin{60'000};
inline constexpr Millis kJournalKeepMax{3660LL * 24 * 60 * 60 * 1000};
inline constexpr Millis kJournalKeepDefault{90LL * 24 * 60 * 60 * 1000};
inline constexpr std::int64_t kJournalMebibytesMax = 1'048'576;
inline constexpr std::size_t kJournalMebibytesDefault = 1024;

// Bytes of a directory's name.
inline constexpr std::size_t kDirectoryPathMax = 4000;

// --- what the service manager keeps for the next process ---------------------------------------------------

// Bytes of the log of calls after which the state is written anew: at least, and for each client.  A
// heartbeat takes about 130, and a client's state 300, so the state is written once in eight heartbeats of
// each client.
inline constexpr std::size_t kCallLogMin = 4UL * 1024 * 1024;
inline constexpr std::size_t kCallLogPerClient = 1024;

// The bags are filled anew when this many sockets in them are of ended connections, and more than half as
// many as there are clients; when any has been in there for this long; and when there are more bags than
// that, as after many clients that came one by one.
inline constexpr std::size_t kEndedInBagsMin = 1024;
inline constexpr Millis kBagsKeptFor{60'000};
inline constexpr std::size_t kBagsMax = 64;

// How soon it is tried again after memory or descriptors lacked.
inline constexpr Millis kSafekeepingRetry{60'000};

// --- conditions that are reported once -------------------------------------------------------------------

// Takeovers of one id, each within a threshold of ticks of the one before, that make it a fight: a client
// that reconnects does so once, two programs with one id do it for ever.
inline constexpr std::uint8_t kFightTakeovers = 3;

// Gaps in a row that are alike (within a tenth) and longer than a tick by over a tenth, until a client counts
// as beating slower than the tick. At one lost beat in a hundred, four such by chance are one in 10^8.
inline constexpr std::uint8_t kSlowGapsInARow = 4;

// --- the control socket ----------------------------------------------------------------------------------

// Bytes of a request's body, and of each object of an answer: what two hundred names to kick take, many
// times.
inline constexpr std::size_t kControlFrameMax = 65'536;

// Bytes that one control session is read at once.  Reading stops with each read until the requests in it are
// answered, so a session that sends as fast as it can holds one unfinished frame and this.  Requests are
// some fifty bytes.
inline constexpr std::size_t kControlReadBytes = std::size_t{4} * 1024;

// Sessions at once: a thousand watchers, and room for people. Fewer where descriptors are few: one in eight
// of them.
inline constexpr std::size_t kControlSessionsMax = 1'100;
inline constexpr std::size_t kControlSessionsShare = 8;

// Connections that may wait to be accepted: a thousand watchers may come at once.
inline constexpr int kControlBacklog = 1'024;

// Bytes of an answer that are made ahead of its reader: its slice. One object more can be on top.
inline constexpr std::size_t kControlSliceBytes = std::size_t{16} * 1024;

// What all sessions together may do in one turn of the loop, in steps of about a tenth of a microsecond and
// never more than half of one (docs/control.md has the measured figure): a client looked at is one.
inline constexpr unsigned kControlStepsPerTurn = 2'048;
inline constexpr unsigned kStepsPerObject = 8;  // an object worded
inline constexpr unsigned kStepsPerRank = 4;    // a client put into its place in a sorted list
inline constexpr unsigned kStepsPerKick = 64;   // a client closed and logged
inline constexpr unsigned kStepsPerOnce = 256;  // an answer that is made in one piece
inline constexpr unsigned kStepsPerWrite = 32;  // a system call

// Clients that one `clients` names: without being asked, and at the most.
inline constexpr std::size_t kListDefault = 1'000;
inline constexpr std::size_t kListMax = 10'000;

// Sorted lists in the making at once: each holds up to kListMax names, about 1 MB.
inline constexpr std::size_t kSortedListsMax = 16;

// Bytes of the message that an operator gives with a kick: a sentence, for a log line and a notice.
inline constexpr std::size_t kKickMessageMax = 256;

// How long heartbeatctl waits for each object of an answer, when nothing is said: ten times what the daemon's
// own stall limit calls long.
inline constexpr Millis kControlAnswerDefault{10'000};
inline constexpr Millis kControlAnswerMax{60LL * 60 * 1000};

// How often heartbeatctl tries again where the daemon went away: a restart takes about that long.
inline constexpr Millis kControlRetry{500};

// How often `heartbeatctl top` asks anew.
inline constexpr Millis kTopRefresh{1000};

// Clients named in one order to kick: with ids of the greatest length, all escaped, they fit into a frame.
inline constexpr std::size_t kKickBatch = 100;

// Characters of a pattern besides its stars: twice an id.
inline constexpr std::size_t kGlobCharactersMax = 255;
inline constexpr std::size_t kGlobBytesMax = 4 * kGlobCharactersMax;  // each of them in UTF-8

// --- groups ----------------------------------------------------------------------------------------------

// Few enough that each may have a row in every list, and that trying them in order costs nothing: a client is
// matched two or three times in its life.
inline constexpr std::size_t kGroupsMax = 64;
// Bytes of the name of a group, which is a word of a metric's label, of a log field and of a heartbeat.
inline constexpr std::size_t kGroupNameMax = 64;
// Patterns, or listeners, of one condition of a group.
inline constexpr std::size_t kGroupPatternsMax = 64;

// --- what a client declares -------------------------------------------------------------------------------

// Of interval_ms and quiet_ms in a heartbeat, and of the settings that bound them: more is not a number of
// milliseconds that a tick can have, and a longer silence is no silence between two heartbeats.
inline constexpr Millis kQuietMax{7LL * 24 * 3600 * 1000};

// --- holds ------------------------------------------------------------------------------------------------

// Holds at once: more than a crew works on, and few enough that each event is compared with all of them.
inline constexpr std::size_t kHoldsMax = 64;
// Bytes of the operator's reason.
inline constexpr std::size_t kHoldWhyMax = 128;
// A hold is for work that ends; what is silent for longer is gone, or belongs to a group of its own.
inline constexpr Millis kHoldMin{1000};
inline constexpr Millis kHoldMax{31LL * 24 * 3600 * 1000};

// --- drains -----------------------------------------------------------------------------------------------

// Clients that are drained in a second.  The default is what another daemon of a fleet takes beside its own
// work; the most is what one accepts by default.
inline constexpr unsigned kDrainRateDefault = 100;
inline constexpr unsigned kDrainRateMax = kAcceptRateDefault;
// How far behind its rate a drain may be and still make up for it: at the highest rate these are 1000
// clients, one slice.
inline constexpr Millis kDrainLagMax{100};
// A balancer that looks every 2 s and believes three looks has noticed by then.
inline constexpr Millis kDrainRetryAfterDefault{10'000};
// Twice that is less than what a client waits at most (kRetryAfterMax).
inline constexpr Millis kDrainRetryAfterMax{60LL * 60 * 1000};

// --- HTTP -------------------------------------------------------------------------------------------------

// Connections at once. One more takes the place of the connection that has been idle longest;
// where all are being answered, the new one is refused. Fewer where descriptors are few: one in sixteen of
// them.
inline constexpr std::size_t kHttpConnectionsMax = 256;
inline constexpr std::size_t kHttpConnectionsShare = 16;

// Connections beside the ones that are about to be closed: libmicrohttpd accepts at most ten in a turn of the
// loop, and closes in the next.
inline constexpr std::size_t kHttpClosingMax = 32;

// Followers of /api/events among them: pages left open must not keep a scrape out.
inline constexpr std::size_t kHttpFollowersMax = 64;

// Bytes of memory for one connection's request and for what is about to be sent: the request line and the
// headers are taken apart in it. A browser sends about 1 KiB; to localhost also the cookies of every other
// program there, which take twice their size.
inline constexpr std::size_t kHttpConnectionMemory = std::size_t{16} * 1024;

// Bytes of an answer that libmicrohttpd takes at once.
inline constexpr std::size_t kHttpBlock = std::size_t{8} * 1024;

// Waiting connections that are resumed in one turn of the loop: the others come first in the next
// turn.
inline constexpr std::size_t kHttpResumedPerTurn = 32;

// Bytes that the kernel may hold for a reader that does not read.
inline constexpr int kHttpSendBuffer = 64 * 1024;

// Within this time of its accept, or of its last answer, a connection has sent a whole request, however
// slowly it sends; and within the second an answer that ends has been read.
inline constexpr Millis kHttpRequestMax{15'000};
inline constexpr Millis kHttpAnswerMax{60'000};

// A connection on which nothing moved for this long is closed: a reader that does not read.
inline constexpr Millis kHttpIdleMax{30'000};

// Connections that may wait to be accepted.
inline constexpr int kHttpBacklog = 128;

// What all connections together may do in one turn of the loop, in the steps of the control socket.
inline constexpr unsigned kHttpStepsPerTurn = 2'048;
inline constexpr unsigned kStepsPerScrape = 1'024;  // the text of /metrics

// Clients that one /api/clients names: without being asked, and at the most.
inline constexpr std::size_t kHttpListDefault = 100;
inline constexpr std::size_t kHttpListMax = 1'000;

// Events reach a follower at most this often, many at once: a person sees no difference, and each is a system
// call.
inline constexpr Millis kHttpEventsEvery{100};

// Seconds that /api/history remembers: what the status page draws.
inline constexpr std::size_t kHistorySeconds = 900;

// Bytes of the status page, with its style and script.
inline constexpr std::size_t kPageMax = 100'000;

// How often refused connections are logged.
inline constexpr Millis kHttpRefusalsTold{60'000};

// --- the debug mode --------------------------------------------------------------------------------------

// Clients named in the user list line; the rest is a count.
inline constexpr std::size_t kRosterShown = 20;

// --- a client that has lost its daemon --------------------------------------------------------------------

// How long one attempt to connect may take: a host that answers at all does so within three retransmissions.
inline constexpr Millis kConnectMax{10'000};

// The pause before connecting again is anything from nothing to the first of these, which is doubled at each
// failure in a row, up to the second.  A second rides out a daemon's restart; 20 000 clients at 60 s are, on
// average, 670 connections a second when it is back.
inline constexpr Millis kReconnectFirst{1000};
inline constexpr Millis kReconnectMax{60'000};

// The longest pause that a daemon can ask for with `retry_after_ms`.
inline constexpr Millis kRetryAfterMax{24 * 60 * 60 * 1000};

// --- the simulator ----------------------------------------------------------------------------------------

// Connections that wait for their accept at once: well below the smallest usual listen backlog of 128.
inline constexpr std::size_t kConnectingMax = 100;

// Simulated clients from one source address: below the 28 232 ephemeral ports that Linux has for each, with
// room for the ports of an earlier run that are still in TIME_WAIT.
inline constexpr std::size_t kClientsPerSource = 20'000;
inline constexpr std::size_t kSourcesMax = 65'536;

// Runs in virtual time of one call, and the default length of each: some sixty default ticks.
inline constexpr std::size_t kSeedsMax = 1'000'000;
inline constexpr Millis kVirtualDefault{600'000};

// Broken promises that are printed one by one; the rest is a count.
inline constexpr std::size_t kViolationsTold = 20;

}  // namespace heartbeat::limits
