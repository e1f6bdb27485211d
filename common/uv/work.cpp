#include "common/uv/work.h"

#include <cassert>
#include <csignal>
#include <memory>
#include <utility>

#include "common/uv/guard.h"

namespace heartbeat::uv {

struct Work::Job {
  uv_work_t request;
  Work* owner;  // null: it is gone
  Call work;
  Call on_done;
};

Work::~Work() {
  if (job_ != nullptr) job_->owner = nullptr;
}

void Work::start(Call work, Call on_done) {
  assert(!is_running());
  auto job = std::make_unique<Job>();
  job->request.data = job.get();
  job->owner = this;
  job->work = std::move(work);
  job->on_done = std::move(on_done);

  // The first request of all makes the threads, which inherit this thread's signal mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  // Fails only for a request without work.
  static_cast<void>(uv_queue_work(
      loop_.get(), &job->request,
      [](uv_work_t* request) { guarded([&] { static_cast<Job*>(request->data)->work(); }); },
      [](uv_work_t* request, int /*status*/) {
        guarded([&] {
          const std::unique_ptr<Job> done{static_cast<Job*>(request->data)};
          if (done->owner == nullptr) return;
          done->owner->job_ = nullptr;
          done->on_done();
        });
      }));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  job_ = job.release();
}

}  // namespace heartbeat::uv
