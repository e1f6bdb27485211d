// Whether a request is meant for us: the defence against DNS rebinding.
//
// A page of some other site can make a browser ask a loopback address, by a name of its own that resolves
// there; such a request is recognised by its Host header, which has that name.
#pragma once

#include <string_view>

#include "common/endpoint.h"

namespace heartbeat::http {

// `host`: the header, `localhost:14080`.  Where other machines can reach the listener, it may have any names.
[[nodiscard]] bool is_meant_for(std::string_view host, const Endpoint& listening);

}  // namespace heartbeat::http
