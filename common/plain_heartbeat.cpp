#include "common/plain_heartbeat.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

#include "common/endpoint.h"
#include "common/limits.h"

namespace heartbeat {
namespace {

// --- eight bytes at a time --------------------------------------------------------------------------------

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;
constexpr std::size_t kWordBytes = sizeof(std::uint64_t);

// The high bit of each byte that is below `bound`, which is at most 0x80; right up to the lowest such byte.
constexpr std::uint64_t below(std::uint64_t word, std::uint8_t bound) {
  return (word - kOnes * bound) & ~word & kHighBits;
}

constexpr std::uint64_t equal(std::uint64_t word, std::uint8_t byte) {
  return below(word ^ kOnes * byte, 1);
}

constexpr bool is_plain(char byte) {
  return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

// How many plain bytes the text begins with.
std::size_t plain_length(const char* at, const char* end) {
  const char* const begin = at;
  if constexpr (std::endian::native == std::endian::little) {
    for (; end - at >= static_cast<std::ptrdiff_t>(kWordBytes); at += kWordBytes) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, kWordBytes);
      // A byte above '~' becomes one of 0x80 or more, or already is.
      const std::uint64_t other = below(word, ' ') | equal(word, '"') | equal(word, '\\') |
                                  (((word & ~kHighBits) + kOnes) & kHighBits) | (word & kHighBits);
      if (other != 0)
        return static_cast<std::size_t>(at - begin) + static_cast<std::size_t>(std::countr_zero(other)) / 8;
    }
  }
  while (at != end && is_plain(*at)) ++at;
  return static_cast<std::size_t>(at - begin);
}

// --- the members ------------------------------------------------------------------------------------------

enum class PlainMember : std::uint8_t { Ip, Status, Pid, Id, Seq, Ack, Notify, Group, Interval, Quiet };

// Reads from the front.  Each take_ returns whether what it is named for stood there; if not, the body is not
// plain, and the reader stops.  `Quote` is how a quotation mark is spelled: in the second encoding as \".
//
// Invariant: the text ends with the closing brace, which is taken last of all; so there is a byte to look at
// wherever one is looked at, and only what takes several bytes, or may run over a brace, asks for the end.
template <const std::string_view& Quote>
class Reader {
 public:
  explicit Reader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool take_object(Heartbeat& into) {
    if (at_ == end_ || end_[-1] != '}' || !take('{')) return false;
    do {
      skip_blank();
      if (!take_member(into)) return false;
      skip_blank();
    } while (take(','));
    return take('}') && at_ == end_ && has(PlainMember::Ip) && has(PlainMember::Status);
  }

 private:
  [[nodiscard]] bool has(PlainMember member) const {
    return (seen_ >> static_cast<unsigned>(member) & 1U) != 0;
  }

  // A key that does not match may have been taken in part: so none is tried after another one.
  bool take_member(Heartbeat& into) {
    if (!take(Quote)) return false;
    switch (*at_) {
      case 'i':
        if (at_[1] == 'p')
          return take_key("ip", PlainMember::Ip) && take_text(into.ip, limits::kClaimedIpMax);
        if (at_[1] == 'n') {
          return take_key("interval_ms", PlainMember::Interval) && take_number(into.interval_ms);
        }
        return take_key("id", PlainMember::Id) && take_text(into.id, limits::kIdMax) &&
               !reads_as_address(into.id);
      case 's':
        if (at_[1] == 't') return take_key("status", PlainMember::Status) && take_status(into.status);
        return take_key("seq", PlainMember::Seq) && take_number(into.seq);
      case 'p': return take_key("pid", PlainMember::Pid) && take_number(into.pid);
      case 'g': return take_key("group", PlainMember::Group) && take_text(into.group, limits::kGroupNameMax);
      case 'q': return take_key("quiet_ms", PlainMember::Quiet) && take_number(into.quiet_ms);
      case 'a': return take_key("ack", PlainMember::Ack) && take_flag(into.ack);
      case 'n': return take_key("notify", PlainMember::Notify) && take_flag(into.notify);
      default: return false;
    }
  }

  // The key up to where its value begins; false also for the second one of a name.
  bool take_key(std::string_view name, PlainMember member) {
    if (!take(name)) return false;
    if (has(member) || !take(Quote) || !take(':')) return false;
    seen_ |= 1U << static_cast<unsigned>(member);
    skip_blank();
    return true;
  }

  bool take_text(std::string_view& into, std::size_t max) {
    if (!take(Quote)) return false;
    const std::size_t size = plain_length(at_, end_);
    if (size == 0 || size > max) return false;
    into = {at_, size};
    at_ += size;
    return take(Quote);
  }

  bool take_status(Status& into) {
    if (!take(Quote)) return false;
    if (take("alive") || take("live")) {
      into = Status::Alive;
    } else if (take("leave")) {
      into = Status::Leave;
    } else if (take("close")) {
      into = Status::Close;
    } else {
      return false;
    }
    return take(Quote);
  }

  template <class Integer>
  bool take_number(std::optional<Integer>& into) {
    constexpr std::ptrdiff_t kDigitsMax = 19;  // these cannot be too many for 64 bits
    const char* const begin = at_;
    std::uint64_t value = 0;
    for (;; ++at_) {
      const auto digit = static_cast<unsigned char>(*at_ - '0');
      if (digit > 9) break;
      value = value * 10 + digit;
    }
    const std::ptrdiff_t digits = at_ - begin;
    const bool has_needless_zero = *begin == '0' && digits > 1;
    if (digits == 0 || digits > kDigitsMax || has_needless_zero) return false;
    if (value > std::numeric_limits<Integer>::max()) return false;
    into = static_cast<Integer>(value);
    return true;
  }

  bool take_flag(bool& into) {
    into = take("true");
    return into || take("false");
  }

  bool take(char byte) {
    if (*at_ != byte) return false;
    ++at_;
    return true;
  }
  [[gnu::always_inline]] bool take(std::string_view text) {
    if (static_cast<std::size_t>(end_ - at_) < text.size()) return false;
    if (std::memcmp(at_, text.data(), text.size()) != 0) return false;
    at_ += text.size();
    return true;
  }
  void skip_blank() { at_ += *at_ == ' ' ? 1 : 0; }

  const char* at_;
  const char* end_;
  unsigned seen_ = 0;  // a bit for each PlainMember
};

constexpr std::string_view kQuote = "\"";
constexpr std::string_view kQuoteInside = "\\\"";

}  // namespace

bool read_plain_heartbeat(std::string_view body, Heartbeat& into) {
  if (body.size() < 2) return false;
  if (body.front() != '"') return Reader<kQuote>{body}.take_object(into);
  if (body.back() != '"') return false;
  return Reader<kQuoteInside>{body.substr(1, body.size() - 2)}.take_object(into);
}

}  // namespace heartbeat
