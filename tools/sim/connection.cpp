#include "tools/sim/connection.h"

#include "tools/sim/fleet.h"

namespace heartbeat::sim {

void Connection::on_open(int error) {
  fleet_.connected(*this, error);
}

void Connection::on_plain(std::string_view bytes) {
  fleet_.received(*this, bytes);
}

void Connection::on_end(int error) {
  fleet_.ended(*this, error);
}

}  // namespace heartbeat::sim
