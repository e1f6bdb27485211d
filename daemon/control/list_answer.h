// The answers to `clients`: a frame for each of a list, and one that says how many they were and how to go
// on.
#pragma once

#include <string>

#include "daemon/control/control_context.h"
#include "daemon/control/request.h"
#include "daemon/report/answer.h"
#include "daemon/report/client_list.h"

namespace heartbeat {

// One frame of type `client`.
void append_client(std::string& out, const Client& client, const ReportContext& context);

class ListAnswer final : public Answer {
 public:
  ListAnswer(ControlContext& context, ClientsRequest request);
  ~ListAnswer() override;
  ListAnswer(const ListAnswer&) = delete;
  ListAnswer& operator=(const ListAnswer&) = delete;
  ListAnswer(ListAnswer&&) = delete;
  ListAnswer& operator=(ListAnswer&&) = delete;

  State go_on(std::string& slice, Steps& steps) override;

 private:
  ControlContext& context_;
  bool sorted_;
  ClientList list_;
};

}  // namespace heartbeat
