// Words one JSON text at the end of a string: objects, arrays and their members, in the order of the calls.
//
// Knows no message.  The caller closes what it opened.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <rapidjson/writer.h>

#include "common/json_allocator.h"
#include "common/mono_time.h"

namespace heartbeat {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : sink_{out}, writer_(sink_) {}
  JsonWriter(const JsonWriter&) = delete;  // the writer refers to the sink by address
  JsonWriter& operator=(const JsonWriter&) = delete;
  JsonWriter(JsonWriter&&) = delete;
  JsonWriter& operator=(JsonWriter&&) = delete;
  ~JsonWriter() = default;

  // Without a key: the text itself, or an element of an array.
  void begin_object() { writer_.StartObject(); }
  void begin_object(std::string_view key) {
    value(key);
    writer_.StartObject();
  }
  void end_object() { writer_.EndObject(); }
  void begin_array(std::string_view key) {
    value(key);
    writer_.StartArray();
  }
  void end_array() { writer_.EndArray(); }

  template <class T>
  void add(std::string_view key, const T& of_member) {
    value(key);
    value(of_member);
  }

  void value(std::string_view text) {
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
  template <std::same_as<bool> T>
  void value(T flag) {
    writer_.Bool(flag);
  }
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) void value(T number) { writer_.Uint64(number); }
  template <std::signed_integral T>
  void value(T number) {
    writer_.Int64(number);
  }
  void value(Millis length) { writer_.Int64(length.count()); }  // its key ends in `_ms`
  // With at most three digits behind the point: enough for a share and for a rate.
  void value(double number) {
    writer_.SetMaxDecimalPlaces(3);
    writer_.Double(number);
  }

 private:
  // What RapidJSON wants of a stream, in its spelling.
  // NOLINTBEGIN(readability-identifier-naming)
  struct Sink {
    using Ch = char;
    std::string& out;
    void Put(char byte) { out.push_back(byte); }
    static void Flush() {}
  };
  // NOLINTEND(readability-identifier-naming)

  Sink sink_;
  rapidjson::Writer<Sink, rapidjson::UTF8<>, rapidjson::UTF8<>, JsonAllocator> writer_;
};

}  // namespace heartbeat
