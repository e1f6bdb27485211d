// heartbeatctl token
//
// Asks no daemon: the line is for the file of tokens, which a reload reads.
#include "common/token.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/glob.h"
#include "common/json_writer.h"
#include "common/tls/openssl.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/quoted.h"

namespace heartbeat::ctl::commands {
namespace {

constexpr std::array<std::string_view, 1> kActions{"new"};

class TokenCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.choice_operand("ACTION", "new: 32 random bytes, printed this once and kept nowhere", kActions,
                              action_);
    parameters.text_operand("NAME", "What the credential is called in the log and in why", name_);
    parameters.required_text("--id", "GLOB", "The ids that a client with the token may use", ids_);
  }

  [[nodiscard]] std::string contradiction(const Options& /*options*/) const override {
    if (!is_token_name(name_)) {
      return "NAME: " + in_quotes(name_) +
             " is not 1 to 64 printable characters of ASCII without spaces, or begins with #";
    }
    const auto glob = Glob::compile(ids_);
    const bool has_ends = ids_.front() == ' ' || ids_.back() == ' ' || ids_.find('\n') != std::string::npos;
    if (!glob || has_ends)
      return "--id: " + (glob ? in_quotes(ids_) + " cannot stand in a line" : glob.error());
    return {};
  }

  Outcome run(Session& /*session*/, const Output& output) override {
    std::array<std::uint8_t, 32> secret{};
    if (!tls::draw_secret(secret)) {
      return tl::unexpected(Failure{kInternal,
                                    {tls::is_built() ? "the system gives no random bytes"
                                                     : "this heartbeatctl was built without OpenSSL"}});
    }
    const std::string token = token_of(secret);
    const std::string line = to_string(TokenLine{.name = name_, .digest = tls::sha256(token), .ids = ids_});
    if (output.json()) {
      std::string json;
      JsonWriter writer{json};
      writer.begin_object();
      writer.add("token", token);
      writer.add("line", line);
      writer.end_object();
      output.print({{{json}}});
    } else {
      output.print({{{"for the client:             " + token}}, {{"for the file of tokens:     " + line}}});
    }
    return {};
  }

 private:
  std::string action_;
  std::string name_;
  std::string ids_;
};

}  // namespace

Made make_token() {
  return std::make_unique<TokenCommand>();
}

}  // namespace heartbeat::ctl::commands
