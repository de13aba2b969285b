// The simulated company: who calls, where it rings, who answers, and what goes wrong on Monday.
#pragma once
#include <string>
#include <vector>

namespace reach::simulator {

/// A phone queue of one site's PBX. Times are people's time: they do not shrink with the speed.
struct QueueSpec {
  std::string source;  ///< the site, which is also the source's name
  std::string name;    ///< as the PBX calls it
  std::string segment;
  std::string dialled;       ///< the number customers dial
  double calls_per_hour;     ///< mean of 08:00 to 18:00 on a mean working day, speed 1
  double talk_s, wrap_up_s;  ///< means at speed 1
  double patience_s;         ///< mean
  double timeout_s;          ///< after which the PBX throws a caller out
  int priority = 0;          ///< served first
  std::string overflow_to;   ///< queue of the same site, after overflow_s; empty: none
  double overflow_s = 0;
  std::string transfer_to;  ///< queue of the same site for what landed here by mistake; empty: none
  std::string caller_class;
  std::size_t room = 15;  ///< callers who may wait; the next one is rejected
};

/// Where work items arrive: one inbox per segment and site.
struct InboxSpec {
  std::string source, name, segment, service;
  double items_per_hour;  ///< as calls_per_hour
  double handling_s;      ///< mean at speed 1
  double due_h;           ///< hours of the office's day until it is due
};

struct AgentSpec {
  std::string source, id;
  std::vector<std::string> queues;  ///< phone queues, best first
  double from_h, to_h;              ///< shift
  bool ill_on_monday = false;
};

/// More calls than usual for some segments, on Monday only.
struct MailingSpec {
  std::vector<std::string> segments;
  double from_h, to_h, factor;
};
/// A queue that takes no calls for a while, on Monday only.
struct OutageSpec {
  std::string source, queue;
  double from_h, to_h;
};

struct Company {
  std::vector<std::string> sources;
  std::vector<QueueSpec> queues;
  std::vector<InboxSpec> inboxes;
  std::vector<AgentSpec> agents;
  std::vector<MailingSpec> mailings;
  std::vector<OutageSpec> outages;
};

/// Inside sales of a maker of industrial fittings: 22 people in Hamburg and Munich, four customer segments, about
/// 2,300 calls on a Monday. On Monday two people in Hamburg are ill, a price list goes out at 08:45 and doubles the
/// calls of dealers and end customers until 10:30, and Munich's service queue fails from 11:10 to 11:30.
[[nodiscard]] Company fittings_company();

}  // namespace reach::simulator
