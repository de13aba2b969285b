// Holds the formulas against the shared reference values: vectors.csv, and what other tools and books published.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/staffing/erlang.hpp"

namespace reach::staffing {
namespace {

using Row = std::map<std::string, std::string>;

/// Reads a CSV file with a header line, quotes doubled inside quoted fields, no line breaks in fields.
std::vector<Row> read_csv(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << "cannot open " << path;
  const auto split = [](const std::string& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"')
        fields.back() += line[++i];
      else if (line[i] == '"')
        quoted = !quoted;
      else if (line[i] == ',' && !quoted)
        fields.emplace_back();
      else if (line[i] != '\r')
        fields.back() += line[i];
    }
    return fields;
  };
  std::vector<Row> rows;
  std::string line;
  std::getline(file, line);
  const auto names = split(line);
  while (std::getline(file, line)) {
    const auto fields = split(line);
    EXPECT_EQ(fields.size(), names.size()) << path << ": " << line;
    Row row;
    for (std::size_t i = 0; i < std::min(names.size(), fields.size()); ++i) row[names[i]] = fields[i];
    rows.push_back(row);
  }
  return rows;
}

/// Numbers come as numbers and as text ("0.8", "inf").
double number(const nlohmann::json& value) {
  return value.is_string() ? std::strtod(value.get<std::string>().c_str(), nullptr) : value.get<double>();
}

struct Inputs {
  nlohmann::json json;
  [[nodiscard]] bool has(const char* name) const { return json.contains(name); }
  [[nodiscard]] double operator()(const char* name) const { return number(json.at(name)); }
  [[nodiscard]] double operator()(const char* name, double otherwise) const {
    return has(name) ? (*this)(name) : otherwise;
  }
  [[nodiscard]] std::optional<double> maybe(const char* name) const {
    return has(name) ? std::optional((*this)(name)) : std::nullopt;
  }
  [[nodiscard]] std::int64_t whole(const char* name) const { return std::llround((*this)(name)); }

  /// The load, however the row says it.
  [[nodiscard]] CallLoad load() const {
    CallLoad load;
    load.patience_s = has("theta") ? 1 / (*this)("theta") : (*this)("patience_s", INFINITY);
    load.aht_s = has("mu") ? 1 / (*this)("mu") : has("aht") ? (*this)("aht") : (*this)("aht_s", 1);
    if (has("calls_per_hour")) load.arrivals_per_hour = (*this)("calls_per_hour");
    if (has("calls")) load.arrivals_per_hour = (*this)("calls") * 3600 / (*this)("interval_s");
    if (has("lam_per_min")) load.arrivals_per_hour = (*this)("lam_per_min") * 60;
    if (has("lam_per_h")) load.arrivals_per_hour = (*this)("lam_per_h");
    if (has("lam")) load.arrivals_per_hour = (*this)("lam") * 3600;
    if (has("a")) load.arrivals_per_hour = (*this)("a") * 3600 / load.aht_s;
    return load;
  }
};

const std::map<std::string, Measure> measures = {{"sl_offered", Measure::offered},
                                                 {"sl_answered", Measure::answered},
                                                 {"sl_excl_short_abandon", Measure::ignored},
                                                 {"sl_abandon_ok", Measure::positive},
                                                 {"sl_virtual", Measure::virtual_wait},
                                                 {"p_served", Measure::served}};

Goal goal_of(const Inputs& in) {
  Goal goal;
  goal.service_level = in("target", in("target_sl", 1e-9));
  goal.threshold_s = in("T_s", 0);
  if (in.has("definition")) goal.measure = measures.at(in.json.at("definition").get<std::string>());
  goal.max_occupancy = in.maybe("max_occupancy");
  goal.max_abandon = in.maybe("max_abandon");
  goal.max_asa_s = in.maybe(in.has("max_asa_s") ? "max_asa_s" : "max_asa");
  goal.min_staff = std::llround(in("min_staff", 1));
  return goal;
}

/// A figure by the name the tables give it.
double figure(const std::string& name, const CallFigures& f, const Inputs& in) {
  const std::map<std::string, double> figures = {{"p_wait", f.p_wait},
                                                 {"p_abandon", f.p_abandon},
                                                 {"p_served", f.p_served},
                                                 {"sl_offered", f.sl_offered},
                                                 {"sl_answered", f.sl_answered},
                                                 {"sl_excl_short_abandon", f.sl_ignored},
                                                 {"sl_abandon_ok", f.sl_positive},
                                                 {"sl_virtual", f.sl_virtual},
                                                 {"asa", f.asa_s},
                                                 {"ew_all", f.wait_all_s},
                                                 {"eq", f.waiting},
                                                 {"occupancy", f.occupancy},
                                                 {"1-p_wait", 1 - f.p_wait}};
  if (name == "w90") return wait_quantile_s(in.load(), in.whole("n"), 0.9);
  return figures.at(name);
}

class SharedData : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("REACH_SHARED_DATA");
    if (folder == nullptr || !std::ifstream(std::string(folder) + "/staffing/vectors.csv"))
      GTEST_SKIP() << "The shared reference values are not here: set REACH_SHARED_DATA to the folder that holds "
                      "staffing/vectors.csv. The built-in values of erlang_test.cpp are tested all the same.";
    folder_ = std::string(folder) + "/staffing/";
  }
  std::string folder_;
};

class Vectors : public SharedData {
 protected:
  /// Calls `check(inputs, outputs, row)` for each vector of `model`, and wants `count` of them.
  template <class Check>
  void each(const std::string& model, int count, Check check) {
    int seen = 0;
    for (const Row& row : read_csv(folder_ + "vectors.csv")) {
      if (row.at("model") != model) continue;
      ++seen;
      SCOPED_TRACE(row.at("id") + " " + model + " " + row.at("inputs"));
      const Inputs in{nlohmann::json::parse(row.at("inputs"))};
      const auto out = nlohmann::json::parse(row.at("outputs"));
      check(in, out, [&](const std::string& name, double actual) {
        const double wanted = number(out.at(name));
        if (std::isinf(wanted)) {
          EXPECT_EQ(actual, wanted) << name;
          return;
        }
        const double allowed = std::max(std::stod(row.at("abs_tol")), std::stod(row.at("rel_tol")) * std::fabs(wanted));
        EXPECT_LE(std::fabs(actual - wanted), allowed) << name << " is " << actual << ", not " << wanted;
      });
    }
    EXPECT_GE(seen, count) << "vectors.csv has fewer vectors of " << model << " than when this test was written";
  }
};

TEST_F(Vectors, ErlangBAgrees) {
  each("erlang_b", 23, [](const Inputs& in, const auto&, auto same) { same("B", erlang_b(in("a"), in("n"))); });
}

TEST_F(Vectors, ErlangBLoadAgrees) {
  each("erlang_b_load", 4,
       [](const Inputs& in, const auto&, auto same) { same("a", erlang_b_load(in("blocking"), in.whole("n"))); });
}

TEST_F(Vectors, MinLinesAgrees) {
  each("min_lines", 4, [](const Inputs& in, const auto&, auto same) {
    same("n", static_cast<double>(min_lines(in("a"), in("blocking")).value()));
  });
}

TEST_F(Vectors, ErlangCAgrees) {
  each("erlang_c", 42, [](const Inputs& in, const auto& out, auto same) {
    const CallFigures f = erlang_c(in.load(), in.whole("n"), in("T_s"));
    for (const auto& [name, value] : out.items()) same(name, figure(name, f, in));
  });
}

TEST_F(Vectors, ErlangAAgrees) {
  each("erlang_a", 96, [](const Inputs& in, const auto& out, auto same) {
    const CallFigures f = erlang_a(in.load(), in.whole("n"), in("T_s"));
    for (const auto& [name, value] : out.items()) same(name, figure(name, f, in));
  });
}

TEST_F(Vectors, MinAgentsAgrees) {
  each("min_agents", 48, [](const Inputs& in, const auto& out, auto same) {
    const Goal goal = goal_of(in);
    const auto n = min_agents(in.load(), goal);
    ASSERT_TRUE(n);
    same("n", static_cast<double>(*n));
    same("rostered", static_cast<double>(scheduled(*n, in("shrinkage", 0))));
    if (out.contains("at_n")) same("at_n", service_level(in.load(), *n, goal));
    if (out.contains("at_n_minus_1")) same("at_n_minus_1", service_level(in.load(), *n - 1, goal));
  });
}

TEST_F(Vectors, PoolingAgrees) {
  each("pooling", 6, [](const Inputs& in, const auto& out, auto same) {
    std::vector<CallLoad> loads;
    for (const auto& rate : in.json.at("calls_per_hour"))
      loads.push_back({number(rate), in("aht_s"), in("patience_s")});
    const auto result = pooling(loads, goal_of(in));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->separate, out.at("separate").template get<std::vector<std::int64_t>>());
    same("sum_separate", static_cast<double>(result->separate_total));
    same("pooled", static_cast<double>(result->pooled));
    same("saving", static_cast<double>(result->saving));
  });
}

/// What a table of published figures calls `metric` of `model`, or nullopt for models that live elsewhere.
std::optional<double> published(const std::string& model, const std::string& metric, const Inputs& in) {
  if (model == "erlang_b") return erlang_b(in("a"), in("n"));
  if (model == "erlang_b_load") return erlang_b_load(in("b"), in.whole("n"));
  if (model == "min_lines") {
    const auto n = min_lines(in("a"), in("target")).value();
    return static_cast<double>(metric == "rostered" ? scheduled(n, in("shrinkage")) : n);
  }
  if (model == "min_agents_c_fractional") {  // service level interpolated between whole numbers of agents
    const Goal goal = goal_of(in);
    const auto n = min_agents(in.load(), goal).value();
    const double below = service_level(in.load(), n - 1, goal);
    return static_cast<double>(n) -
           (service_level(in.load(), n, goal) - goal.service_level) / (service_level(in.load(), n, goal) - below);
  }
  if (metric == "n" || metric == "rostered") {
    const auto n = min_agents(in.load(), goal_of(in)).value();
    return static_cast<double>(metric == "n" ? n : scheduled(n, in("shrinkage")));
  }
  if (model == "hybrid C/A") {
    const CallFigures c = erlang_c(in.load(), in.whole("n"), in("T_s"));
    if (metric == "sl_erlangC_%") return 100 * c.sl_offered;
    if (metric == "occupancy_%") return 100 * c.occupancy;
    if (metric == "immediate_%") return 100 * (1 - c.p_wait);
    if (metric == "asa_erlangC") return c.asa_s;
    return 100 * erlang_a(in.load(), in.whole("n"), in("T_s")).p_abandon;
  }
  if (model != "erlang_a" && model != "erlang_c") return std::nullopt;
  const double threshold_s = metric == "P(wait>mean holding | queued)" ? in.load().aht_s : in("T_s", 0);
  const CallFigures f = erlang_a(in.load(), in.whole("n"), threshold_s);
  if (metric == "P(wait>mean holding | queued)") return (1 - f.sl_offered) / f.p_wait;
  if (metric == "P(W>10 s)") return 1 - f.sl_offered;
  if (metric == "W (h, incl. service)") return f.asa_s / 3600 + 1 / in("mu_per_h");
  return figure(metric, f, in);
}

/// Rows that disagree are compared with the reference value: there the publication is wrong.
int compare_with_published(const std::string& path) {
  int compared = 0;
  for (const Row& row : read_csv(path)) {
    SCOPED_TRACE(row.at("source") + ": " + row.at("model") + " " + row.at("inputs") + " " + row.at("metric"));
    Inputs in{nlohmann::json::parse(row.at("inputs"))};
    if (in.has("mu_per_h")) in.json["aht_s"] = 3600 / in("mu_per_h");
    const auto actual = published(row.at("model"), row.at("metric"), in);
    if (!actual) continue;
    ++compared;
    const double reference = std::stod(row.at("reference"));
    EXPECT_NEAR(*actual, reference, std::max(1e-10, 1e-10 * std::fabs(reference)));
    if (row.at("verdict") == "agree") {
      EXPECT_NEAR(*actual, std::stod(row.at("published")), std::stod(row.at("tolerance")));
    }
  }
  return compared;
}

TEST_F(SharedData, PublishedFiguresOfOtherToolsAgree) {
  EXPECT_GE(compare_with_published(folder_ + "peers.csv"), 340);
}

TEST_F(SharedData, PublishedFiguresOfBooksAgree) {
  EXPECT_GE(compare_with_published(folder_ + "literature.csv"), 9);
}

}  // namespace
}  // namespace reach::staffing
