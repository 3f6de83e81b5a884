// SPDX-License-Identifier: Apache-2.0
//
// OTP's list, scale: C-64 and C-65. Measured as ratios; they run alone (label `timing`).
#include "conformance/conformance.hpp"

namespace troupe::test {
namespace {

double seconds_of(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

/// OTP's bound: no more than ten times above linear.
constexpr double most_above_linear = 10;

TEST_F(conformance, C_64_ends_many_temporary_children_of_a_template_in_linear_time) {
  const auto time_for = [&](int n) {
    const auto sup = top(simple(worker("a", restart_type::temporary)));
    std::vector<address> all;
    for (int i = 0; i < n; ++i)
      all.push_back(add());
    const auto took = seconds_of([&] {
      for (const auto& one : all)
        EXPECT_EQ(code_for(one, api::terminate_child), "ok");
    });
    EXPECT_EQ(children(), 0u);
    sim.exit(sup, errc::shutdown);
    diary_now();
    return took;
  };
  const double few = time_for(1000), many = time_for(10'000);
  EXPECT_LT(many / few, 10 * most_above_linear) << few << " s and " << many << " s";
}

TEST_F(conformance, C_65_starts_lists_and_stops_a_hundred_thousand_children_in_linear_time) {
  struct times {
    double start, list, stop;
  };
  const auto time_for = [&](const supervisor_spec& spec, std::size_t n) {
    times t{};
    const auto sup = top(spec);
    const bool is_simple = spec.strategy == strategy::simple_one_for_one;
    t.start = seconds_of([&] {
      for (std::size_t i = 0; i < n; ++i)
        add(is_simple ? value() : spec_value("w" + std::to_string(i)));
    });
    t.list = seconds_of([&] { EXPECT_EQ(children(), n); });
    EXPECT_EQ(counted("active"), static_cast<std::int64_t>(n));
    t.stop = seconds_of([&] { sim.exit(sup, errc::shutdown); });
    EXPECT_EQ(sim.population(), 1u);
    diary_now();
    return t;
  };
  for (const auto& spec : {of({}), simple(worker("a"))}) {
    const auto few = time_for(spec, 1000), many = time_for(spec, 100'000);
    EXPECT_LT(many.start / few.start, 100 * most_above_linear);
    EXPECT_LT(many.list / few.list, 100 * most_above_linear);
    EXPECT_LT(many.stop / few.stop, 100 * most_above_linear);
    std::printf("100 000 children: start %.2f s, list %.2f s, stop %.2f s\n", many.start, many.list,
                many.stop);
  }
}

}  // namespace
}  // namespace troupe::test
