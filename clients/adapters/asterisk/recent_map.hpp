// A map of texts that can say what was not used for the longest time.
#pragma once
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace reach::asterisk {

/// Every function O(1). References stay valid until their entry is erased. Iterates from the one not used for the
/// longest time to the latest.
template <typename Value>
class RecentMap {
 public:
  using Entry = std::pair<const std::string, Value>;

  RecentMap() = default;
  RecentMap(RecentMap&&) noexcept = default;
  RecentMap& operator=(RecentMap&&) noexcept = default;

  /// The value of `key`, which now is the latest; null if there is none.
  Value* use(std::string_view key) {
    const auto known = places_.find(key);
    if (known == places_.end()) return nullptr;
    entries_.splice(entries_.end(), entries_, known->second);
    return &known->second->second;
  }
  [[nodiscard]] const Value* find(std::string_view key) const {
    const auto known = places_.find(key);
    return known == places_.end() ? nullptr : &known->second->second;
  }
  [[nodiscard]] Value* find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

  /// The value of `key`, made if there is none; now it is the latest.
  Value& operator[](std::string_view key) {
    if (Value* known = use(key)) return *known;
    const auto entry = entries_.emplace(entries_.end(), std::string(key), Value());
    places_.emplace(entry->first, entry);
    return entry->second;
  }
  void erase(std::string_view key) {
    const auto known = places_.find(key);
    if (known == places_.end()) return;
    const auto entry = known->second;
    places_.erase(known);
    entries_.erase(entry);
  }
  template <typename Predicate>
  void erase_if(Predicate predicate) {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      const auto next = std::next(entry);
      if (predicate(*entry)) erase(entry->first);
      entry = next;
    }
  }
  void clear() {
    places_.clear();
    entries_.clear();
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] Entry& oldest() { return entries_.front(); }  ///< requires size() > 0
  [[nodiscard]] auto begin() { return entries_.begin(); }
  [[nodiscard]] auto end() { return entries_.end(); }
  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }

 private:
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, typename std::list<Entry>::iterator> places_;  // views of the entries' keys
};

}  // namespace reach::asterisk
