// What the tests of the rabbitmq probe share: its configuration out of a few lines, and runs against a scripted broker.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "probes/rabbitmq.hpp"
#include "tests/support/amqp_frames.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::testing {

inline probes::rabbitmq::Config rabbitmq_check(const std::string& more = "") {
  const auto parsed = parse_yaml(probes::rabbitmq::parse, "address: mq:5672\n" + more);
  EXPECT_THAT(parsed.problems, ::testing::Not(::testing::HasSubstr("error")));
  return parsed.config;
}

inline probes::rabbitmq::Facts run_rabbitmq(net::Network& network, const probes::rabbitmq::Config& check) {
  Surroundings around;
  around.network = &network;
  return around.run(probes::rabbitmq::run, check);
}

/// The row of that name, and of that label where one is given; nullptr where it was not measured.
inline const Sample* find_row(const Observation& seen, const std::string& name, const std::string& label = "") {
  for (const auto& each : seen.samples) {
    if (each.name == name && (label.empty() || (each.labels.size() == 1 && each.labels[0].second == label)))
      return &each;
  }
  return nullptr;
}

}  // namespace vitald::testing
