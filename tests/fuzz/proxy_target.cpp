// The header of the PROXY protocol reads the same however the stream is chopped, holds no more than it may,
// and leaves every byte behind it in place.
//
// Input: how the stream is chopped (the pieces' lengths go round), the lengths, then the stream.
#include <string>

#include "common/limits.h"
#include "common/proxy_header.h"
#include "common/text.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"

using namespace heartbeat;
using heartbeat::fuzz::hold;
using heartbeat::fuzz::Input;

namespace {

constexpr std::size_t kHeaderMax = 16 + limits::kProxyHeaderMax;

void hold_outcome(const ProxyHeader& header, ProxyHeader::State state) {
  if (state == ProxyHeader::State::Bad) {
    hold(!header.why().empty() && is_printable(header.why()), "a refusal says why, in printable text");
    hold(header.kind() == BadInput::ProxyMissing || header.kind() == BadInput::ProxyInvalid,
         "a refusal is of one of two kinds");
  }
  if (state != ProxyHeader::State::Whole) return;
  const std::string& name = header.peer().certificate_name;
  hold(name.size() <= limits::kCertificateNameMax && is_printable(name), "a name is short and printable");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{data, size};
  const std::string_view lengths = input.bytes(input.below(9));
  const std::string_view stream = input.rest();

  ProxyHeader whole;
  std::string_view rest = stream;
  const ProxyHeader::State state = whole.read(rest);
  const std::size_t used = stream.size() - rest.size();
  hold(used <= kHeaderMax, "a header is no longer than the maximum");
  hold(state != ProxyHeader::State::NeedMore || rest.empty(), "a header that needs more has taken all");
  hold_outcome(whole, state);

  ProxyHeader chopped;
  ProxyHeader::State chopped_state = ProxyHeader::State::NeedMore;
  std::string_view unread = stream;
  for (std::size_t piece = 0; chopped_state == ProxyHeader::State::NeedMore && !unread.empty(); ++piece) {
    const std::size_t length =
        lengths.empty() ? 1 : 1U + static_cast<std::uint8_t>(lengths[piece % lengths.size()]);
    // Of its own, so that a reader that looks beyond it is seen to.
    const std::string bytes{unread.substr(0, length)};
    std::string_view left = bytes;
    chopped_state = chopped.read(left);
    unread.remove_prefix(bytes.size() - left.size());
  }
  hold(chopped_state == state, "a header is judged the same however the stream is chopped");
  hold(chopped.kind() == whole.kind() && chopped.why() == whole.why(), "and refused in the same words");
  hold(chopped.peer().source == whole.peer().source, "and gives the same address");
  hold(chopped.peer().certificate_name == whole.peer().certificate_name, "and the same name");
  if (state == ProxyHeader::State::Whole) hold(unread == rest, "and leaves the same bytes behind it");
  return 0;
}
