// How heartbeatctl ends.  Scripts depend on these; beyond 0, 1 and 2 they are those of sysexits.h.
#pragma once

#include <sysexits.h>

namespace heartbeat::ctl {

inline constexpr int kYes = EX_OK;
inline constexpr int kNo = 1;                       // no such client, nothing matches, refused
inline constexpr int kUsage = 2;                    // the command line is wrong
inline constexpr int kDaemonAway = EX_UNAVAILABLE;  // 69: it is not there, or does not answer
inline constexpr int kInternal = EX_SOFTWARE;       // 70
inline constexpr int kCannotWrite = EX_IOERR;       // 74: standard output
inline constexpr int kBusy = EX_TEMPFAIL;           // 75: it has too much to do; ask again
inline constexpr int kNotADaemon = EX_PROTOCOL;     // 76: what answers is something else
inline constexpr int kDenied = EX_NOPERM;           // 77: the socket is there, and not for us

}  // namespace heartbeat::ctl
