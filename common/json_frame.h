// One JSON object as one frame.
#pragma once

#include <string>

#include "common/frame.h"
#include "common/json_writer.h"

namespace heartbeat {

// Appends a frame whose body is an object with the members that `add` adds to the writer it is given.
template <class Add>
void append_json_frame(std::string& out, Add add) {
  const std::size_t frame = begin_frame(out);
  JsonWriter json{out};
  json.begin_object();
  add(json);
  json.end_object();
  end_frame(out, frame);
}

}  // namespace heartbeat
