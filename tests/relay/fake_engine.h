// A model of what the relay needs of Redis: streams whose ids only grow, rows, owners and inboxes, behind a
// connection on which calls and answers wait until the test moves them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/relay/fleet_engine.h"

namespace heartbeat::relay::test {

// A value: a copy of it is a dump.
struct FakeServer {
  struct Entry {
    Position at{};
    bool is_mark = false;
    bool is_gap = false;
    Copy copy{};
    std::uint64_t missing_from = 0;
    Record record{};
  };
  struct Node {
    std::vector<Entry> stream{};
    Position newest{};  // stays when the stream is trimmed
    std::map<std::string, std::map<std::string, Row>> copies{};
    Copy counts{};
    std::vector<std::pair<std::uint64_t, Order>> inbox{};
  };

  std::map<std::string, Node> nodes{};
  std::map<std::string, Owner> owners{};
  std::uint64_t now_ms = 1'000'000;
  std::uint64_t orders = 0;

  static std::string name(const Copy& copy) { return to_string(Position{copy.incarnation, copy.from}); }
};

class FakeEngine final : public FleetEngine {
 public:
  FakeEngine(FakeServer& server, std::string node) : server_(server), node_(std::move(node)) {}

  void listen(EngineListener& listener) { listener_ = &listener; }

  // Asked before each write: nothing, or why it is refused.
  std::function<std::optional<EngineError>()> refusal = [] { return std::nullopt; };

  [[nodiscard]] bool has_call() const { return !calls_.empty(); }
  [[nodiscard]] bool has_answer() const { return !answers_.empty(); }
  void carry_out() {
    const auto call = std::move(calls_.front());
    calls_.pop_front();
    call();
  }
  void deliver() {
    const auto answer = std::move(answers_.front());
    answers_.pop_front();
    answer();
  }
  void cut() {
    calls_.clear();
    answers_.clear();
  }

  void attach(std::size_t tail) override {
    calls_.push_back([this, tail] {
      Top top{.at = newest(), .unbroken_from = newest().sequence, .engine_ms = server_.now_ms};
      const auto& stream = of().stream;
      for (std::size_t back = 2; back <= std::min(tail, stream.size()); ++back) {
        const Position at = stream[stream.size() - back].at;
        if (at.incarnation != top.at.incarnation || at.sequence + 1 < top.unbroken_from) break;
        top.unbroken_from = at.sequence;
      }
      answers_.push_back([this, top] { listener_->on_attached(top); });
    });
  }

  void begin(const Mark& mark) override {
    calls_.push_back([this, mark] {
      const auto error = add({.at = mark.at,
                              .is_mark = true,
                              .is_gap = mark.is_gap,
                              .copy = mark.copy,
                              .missing_from = mark.missing_from});
      if (!error) {
        of().counts = mark.copy;
        if (mark.old) of().copies.erase(FakeServer::name(*mark.old));
      }
      answers_.push_back(
          [this, error] { error ? listener_->on_begun(tl::unexpected(*error)) : listener_->on_begun({}); });
    });
  }

  void publish(const Copy& copy, std::span<const RowChange> rows, std::span<const Record> records) override {
    calls_.push_back([this, copy, rows = std::vector<RowChange>{rows.begin(), rows.end()},
                      records = std::vector<Record>{records.begin(), records.end()}] {
      Published published;
      for (const RowChange& change : rows) {
        if (auto error = refusal()) {
          if (!published.error) published.error = error;
          continue;
        }
        auto& of_copy = of().copies[FakeServer::name(copy)];
        if (change.row)
          of_copy[change.client] = *change.row;
        else
          of_copy.erase(change.client);
      }
      for (const Record& record : records) {
        const auto error = add({.at = {copy.incarnation, record.sequence}, .record = record});
        if (error && !published.error) published.error = error;
      }
      answers_.push_back([this, published] { listener_->on_published(published); });
    });
  }

  void renew(const Copy& /*copy*/, std::string_view /*summary*/) override {
    calls_.push_back([this] {
      const auto error = refusal();
      const Top top{.at = newest(), .engine_ms = server_.now_ms};
      answers_.push_back([this, error, top] {
        error ? listener_->on_renewed(tl::unexpected(*error)) : listener_->on_renewed(top);
      });
    });
  }

  void claim(const Claim& claim) override {
    calls_.push_back([this, claim] {
      if (const auto error = refusal()) {
        answers_.push_back([this, error] { listener_->on_claimed(tl::unexpected(*error)); });
        return;
      }
      Claimed claimed{.claim = claim};
      const auto found = server_.owners.find(claim.client);
      if (found != server_.owners.end() && !(found->second == claim.mine)) claimed.other = found->second;
      if (claim.kind == Claim::Kind::Join || found == server_.owners.end()) {
        server_.owners[claim.client] = claim.mine;
      }
      if (claim.kind == Claim::Kind::Join && claimed.other && claimed.other->node != node_) {
        FakeServer::Node& other = server_.nodes[claimed.other->node];
        other.inbox.emplace_back(++server_.orders, Order{.kind = Order::Kind::Superseded,
                                                         .client = claim.client,
                                                         .claim = claimed.other->at,
                                                         .by = node_});
        if (other.counts.incarnation == claimed.other->at.incarnation) {
          const auto& rows = other.copies[FakeServer::name(other.counts)];
          const auto row = rows.find(claim.client);
          claimed.was_in_leave = row != rows.end() && row->second.status == Status::Leave;
        }
      }
      answers_.push_back([this, claimed] { listener_->on_claimed(claimed); });
    });
  }

  void read_inbox(std::string_view behind) override {
    calls_.push_back([this, behind = parse_number(behind).value_or(0)] {
      Inbox inbox;
      for (const auto& [number, order] : of().inbox) {
        if (number <= behind) continue;
        inbox.orders.push_back(order);
        inbox.last = std::to_string(number);
      }
      answers_.push_back([this, inbox] { listener_->on_inbox(inbox); });
    });
  }

 private:
  FakeServer::Node& of() { return server_.nodes[node_]; }
  Position newest() { return of().stream.empty() ? Position{} : of().stream.back().at; }

  std::optional<EngineError> add(FakeServer::Entry entry) {
    if (auto error = refusal()) return error;
    if (entry.at <= of().newest) {
      return EngineError{.kind = EngineError::Kind::NotAbove, .text = "equal or smaller"};
    }
    of().newest = entry.at;
    of().stream.push_back(std::move(entry));
    return std::nullopt;
  }

  FakeServer& server_;
  std::string node_;
  EngineListener* listener_ = nullptr;
  std::deque<std::function<void()>> calls_;
  std::deque<std::function<void()>> answers_;
};

}  // namespace heartbeat::relay::test
