// SPDX-License-Identifier: Apache-2.0
//
// [private] How CAF's coordinator and workers ask the crew.
#pragma once

#include <caf/actor_system_config.hpp>
#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/coordinator.hpp>
#include <functional>

#include "core/crew.hpp"

namespace troupe::core {

struct caf_config : caf::actor_system_config {
  std::size_t threads = 1;
  std::size_t spare_threads = 0;
  /// Called when no worker runs any more, while the actor system still stands.
  std::function<void()> when_stopped;
};

class fifo_policy : public caf::policy::unprofiled {
 public:
  /// What a lane answers that used up its time. CAF's workers never see it: lanes are run here.
  static constexpr auto slow = caf::resumable::shutdown_execution_unit;

  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator* c)
        : coordinator_data(dynamic_cast<const caf_config&>(c->config())) {}
    explicit coordinator_data(const caf_config& c) : team(c.threads, c.spare_threads) {}
    crew team;
  };
  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
    crew* team = nullptr;  // set when its thread asks for its first job
    crew::member* me = nullptr;
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    d(self).team.submit(job);
  }

  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    d(self->parent()).team.submit(job);
  }

  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    auto& data = d(self);
    data.team->submit(*data.me, job);
  }

  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    internal_enqueue(self, job);
  }

  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    auto& data = d(self);
    if (data.me == nullptr) {
      data.team = &d(self->parent()).team;
      data.me = &(*data.team)[self->id()];
    }
    for (;;) {
      auto* const job = static_cast<caf::resumable*>(data.team->next(*data.me));
      // Lanes are run here. The worker would first find out for its log which actor this is, by a
      // dynamic_cast and under a lock that all workers share: a fifth of what a message costs.
      if (job->subtype() != caf::resumable::function_object) return job;
      switch (job->resume(self, self->max_throughput())) {
        case caf::resumable::resume_later:
          internal_enqueue(self, job);
          break;
        case slow:
          data.team->postpone(*data.me, job);
          break;
        default:
          break;
      }
    }
  }

  template <class Worker>
  void before_shutdown(Worker* self) {
    d(self).team->leave(*d(self).me);
  }

  template <class Worker, class F>
  void foreach_resumable(Worker*, F) {}

  template <class Coordinator, class F>
  void foreach_central_resumable(Coordinator* self, F f) {
    while (void* job = d(self).team.left_over())
      f(static_cast<caf::resumable*>(job));
  }
};

class coordinator final : public caf::scheduler::coordinator<fifo_policy> {
 public:
  using caf::scheduler::coordinator<fifo_policy>::coordinator;

  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

 protected:
  void stop() override;
};

}  // namespace troupe::core
