// Which alerts `reachctl alerts --follow` prints.
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "reachd/v1/alert.pb.h"

namespace reach {
namespace v1 = ::reachd::v1;
}  // namespace reach

namespace reach::ctl {

/// Takes what a Subscriber says and picks what is to be printed: first what is there, then each change once.
class FollowedAlerts {
 public:
  /// `segment`: only of this one; empty: of all. `all`: of what is there also the resolved ones.
  FollowedAlerts(std::string segment, bool all) : segment_(std::move(segment)), all_(all) {}

  /// The alerts that go with a snapshot. Of later ones nothing is picked: what is new in them is said one by one.
  [[nodiscard]] std::vector<v1::Alert> pick(const v1::Alerts& alerts);
  /// A revision; false: it is not to be printed.
  [[nodiscard]] bool pick(const v1::Alert& alert);

 private:
  [[nodiscard]] bool is_wanted(const v1::Alert& alert) const { return segment_.empty() || alert.segment() == segment_; }
  using Revision = std::tuple<std::string, std::uint32_t, std::uint64_t>;  // id, revision, changed
  static Revision revision_of(const v1::Alert& alert) { return {alert.id(), alert.revision(), alert.changed_ns()}; }

  const std::string segment_;
  const bool all_;
  bool began_ = false;
  std::set<Revision> first_;  ///< what was there; said once more if the first snapshots followed too fast
};

}  // namespace reach::ctl
