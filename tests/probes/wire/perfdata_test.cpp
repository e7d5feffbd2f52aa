#include "probes/wire/perfdata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace vitald::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Case {
  std::string text;
  std::string label;
  std::optional<double> value;
  Unit unit = Unit::none;
  SampleKind kind = SampleKind::gauge;
  std::optional<double> minimum = {}, maximum = {};
};

constexpr double gib = 1024.0 * 1024 * 1024;

TEST(Perfdata, OneFigure) {
  const std::vector<Case> cases = {
      // as the plug-ins of Debian 12 print them
      {"time=0.000492s;;;0.000000;10.000000", "time", 0.000492, Unit::seconds, SampleKind::gauge, 0.0, 10.0},
      {"load1=2.300;1.000;9.000;0; ", "load1", 2.3, Unit::none, SampleKind::gauge, 0.0},
      {"procs=129;1:5;;0;", "procs", 129.0, Unit::none, SampleKind::gauge, 0.0},
      {"/=21537751040B;93000000000;;0;107374182400", "/", 21537751040.0, Unit::bytes, SampleKind::gauge, 0.0,
       107374182400.0},
      {"swap=2047MB;0;0;0;2047", "swap", 2047 * 1024.0 * 1024, Unit::bytes, SampleKind::gauge, 0.0,
       2047 * 1024.0 * 1024},
      {"size=302B;;;0", "size", 302.0, Unit::bytes, SampleKind::gauge, 0.0},
      {"offset=-0.000015s;60.000000;120.000000;", "offset", -0.000015, Unit::seconds},
      // units
      {"a=1", "a", 1.0},
      {"a=250ms", "a", 0.25, Unit::seconds},
      {"a=250us", "a", 0.00025, Unit::seconds},
      {"a=250µs", "a", 0.00025, Unit::seconds},
      {"a=5m", "a", 300.0, Unit::seconds},
      {"a=2h", "a", 7200.0, Unit::seconds},
      {"a=1d", "a", 86400.0, Unit::seconds},
      {"a=85%", "a", 0.85, Unit::ratio, SampleKind::gauge, {}, 1.0},
      {"a=85%;80;90;0;100", "a", 0.85, Unit::ratio, SampleKind::gauge, 0.0, 1.0},
      {"a=1KB", "a", 1024.0, Unit::bytes},
      {"a=1kB", "a", 1024.0, Unit::bytes},
      {"a=1GiB", "a", gib, Unit::bytes},
      {"a=2GB;;;;4", "a", 2 * gib, Unit::bytes, SampleKind::gauge, {}, 4 * gib},
      {"a=1TB", "a", 1024 * gib, Unit::bytes},
      {"a=17c", "a", 17.0, Unit::none, SampleKind::counter},
      {"temperature=43C", "temperature", 43.0},
      {"rate=3req/s", "rate", 3.0},
      // values
      {"a=U", "a", std::nullopt},
      {"a=U;10;20", "a", std::nullopt},
      {"a=-5", "a", -5.0},
      {"a=.5", "a", 0.5},
      {"a=1.5e-3s", "a", 0.0015, Unit::seconds},
      {"a=5;;;;", "a", 5.0},
      {"a=5;;;;;;", "a", 5.0},
      {"a=5;x;y;z;w", "a", 5.0},
      // labels
      {"'a label'=1", "a label", 1.0},
      {"'it''s'=1", "it's", 1.0},
      {"'a=b'=1", "a=b", 1.0},
      {"'C:\\ used'=1", "C:\\ used", 1.0},
      {"/var/log=1", "/var/log", 1.0},
      {"ümlaut=1", "ümlaut", 1.0},
      {"  a=1\t\n", "a", 1.0},
  };
  for (const Case& each : cases) {
    const auto perfdata = parse_perfdata(each.text);
    ASSERT_EQ(perfdata.figures.size(), 1u) << each.text;
    EXPECT_EQ(perfdata.refused_count, 0u) << each.text;
    const Figure& figure = perfdata.figures.front();
    EXPECT_EQ(figure.label, each.label) << each.text;
    ASSERT_EQ(figure.value.has_value(), each.value.has_value()) << each.text;
    if (each.value) {
      EXPECT_DOUBLE_EQ(*figure.value, *each.value) << each.text;
    }
    EXPECT_EQ(figure.unit, each.unit) << each.text;
    EXPECT_EQ(figure.kind, each.kind) << each.text;
    EXPECT_EQ(figure.minimum, each.minimum) << each.text;
    EXPECT_EQ(figure.maximum, each.maximum) << each.text;
  }
}

TEST(Perfdata, WhatIsNoFigureIsRefusedAloneAndInWords) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a=0,5s", "a: '0,5s' has a decimal comma"},
      {"a=", "a: '' is no number"},
      {"a=;1;2", "a: '' is no number"},
      {"a=soon", "a: 'soon' is no number"},
      {"a=inf", "a: 'inf' is no number"},
      {"a=nan", "a: 'nan' is no number"},
      {"a=-inf", "a: '-inf' is no number"},
      {"a=1e999", "a: '1e999' is no number"},
      {"a=1e308d", "a: '1e308d' is too large"},
      {"a=0x10", "a: '0x10' is no number with a unit"},
      {"a=+5", "a: '+5' is no number"},
      {"a=1.2.3", "a: '1.2.3' is no number with a unit"},
      {"a=u", "a: 'u' is no number"},
      {"alone", "'alone' is no label=value"},
      {"=5", "'=5' is no label=value"},
      {"''=5", "'''=5' is no label=value"},
      {"'open=5", "''open=5' is no label=value"},
  };
  for (const auto& [text, sentence] : cases) {
    const auto perfdata = parse_perfdata("before=1 " + text + " after=2");
    EXPECT_THAT(perfdata.refused, ElementsAre(sentence)) << text;
    EXPECT_EQ(perfdata.figures.size(), 2u) << text;
  }
}

TEST(Perfdata, ALabelCountsOnceAndThereAreSoManyFigures) {
  EXPECT_THAT(parse_perfdata("a=1 a=2").refused, ElementsAre("a is there twice"));
  EXPECT_EQ(parse_perfdata("a=1 a=2").figures.front().value, 1);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "f" + std::to_string(i) + "=1 ";
  const auto perfdata = parse_perfdata(many);
  EXPECT_EQ(perfdata.figures.size(), most_figures);
  EXPECT_EQ(perfdata.refused_count, 800u);
  EXPECT_EQ(perfdata.refused.size(), 5u);
}

TEST(Perfdata, Ranges) {
  EXPECT_EQ(parse_range("10"), (Range{0, 10}));
  EXPECT_EQ(parse_range("10:"), (Range{10, infinity}));
  EXPECT_EQ(parse_range("~:10"), (Range{-infinity, 10}));
  EXPECT_EQ(parse_range("10:20"), (Range{10, 20}));
  EXPECT_EQ(parse_range("@10:20"), (Range{10, 20, true}));
  EXPECT_EQ(parse_range("-5:-1"), (Range{-5, -1}));
  EXPECT_EQ(parse_range(":10"), (Range{0, 10}));
  for (const char* text : {"", "20:10", "a", "10:b", "@", "~", "1:2:3", "1,5", "-1", " 1"}) {
    EXPECT_FALSE(parse_range(text)) << text;
  }
}

std::string said(const std::string& text) { return say(parse_perfdata(text).figures.at(0)); }

TEST(Perfdata, InWords) {
  EXPECT_EQ(said("a=250ms;100;500"), "250 ms (the plug-in's own limits: warning above 100 ms, critical above 500 ms)");
  EXPECT_EQ(said("procs=129;1:5"), "129 (the plug-in's own limits: warning outside 1 to 5)");
  EXPECT_EQ(said("a=5;10:;@1:2"), "5 (the plug-in's own limits: warning below 10, critical within 1 to 2)");
  EXPECT_EQ(said("a=85%;80;90;0;100"), "85 % (the plug-in's own limits: warning above 80 %, critical above 90 %)");
  EXPECT_EQ(said("a=1GB;;;0;2"), "1 GiB of 2 GiB");
  EXPECT_EQ(said("a=U"), "unknown");
  EXPECT_EQ(said("a=5;@~:3;@7:"), "5 (the plug-in's own limits: warning up to 3, critical from 7)");
  EXPECT_EQ(said("a=5;~:3;~:"), "5 (the plug-in's own limits: warning above 3, critical never)");
}

TEST(PluginOutput, TheLayoutsOfTheGuidelines) {
  auto output = parse_plugin_output("DISK OK - free space: / 3326 MB (56%);\n");
  EXPECT_EQ(output.summary, "DISK OK - free space: / 3326 MB (56%);");
  EXPECT_TRUE(output.perfdata.figures.empty());

  output = parse_plugin_output("DISK OK - free: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968\n");
  EXPECT_EQ(output.summary, "DISK OK - free: / 3326 MB (56%);");
  ASSERT_EQ(output.perfdata.figures.size(), 1u);

  output = parse_plugin_output(
      "DISK OK - free: / 3326 MB; | /=2643MB;5948;5958;0;5968\n"
      "/ 15272 MB (77%);\n"
      "/boot 68 MB (69%);\n"
      "/var/log 819 MB (84%); | /boot=68MB;88;93;0;98\n"
      "/home=69357MB;253404;253409;0;253414\n"
      "/var/log=818MB;970;975;0;980 | /odd=1\n");
  EXPECT_EQ(output.summary, "DISK OK - free: / 3326 MB;");
  EXPECT_THAT(output.lines, ElementsAre("/ 15272 MB (77%);", "/boot 68 MB (69%);", "/var/log 819 MB (84%);"));
  std::vector<std::string> labels;
  for (const Figure& figure : output.perfdata.figures) labels.push_back(figure.label);
  EXPECT_THAT(labels, ElementsAre("/", "/boot", "/home", "/var/log", "/odd"));
  EXPECT_THAT(output.perfdata.refused, ElementsAre("'|' is no label=value"));
}

TEST(PluginOutput, OddOnes) {
  EXPECT_EQ(parse_plugin_output("").summary, "");
  EXPECT_EQ(parse_plugin_output("\n").summary, "");
  EXPECT_EQ(parse_plugin_output("| a=1").summary, "");
  EXPECT_EQ(parse_plugin_output("| a=1").perfdata.figures.size(), 1u);
  EXPECT_EQ(parse_plugin_output("no newline").summary, "no newline");
  EXPECT_EQ(parse_plugin_output("CR OK\r\nmore\r\n").summary, "CR OK");
  const std::string bytes("nul\0 \x1b[31m \xff", 13);
  EXPECT_THAT(parse_plugin_output(bytes).summary, HasSubstr("nul?"));
  EXPECT_EQ(parse_plugin_output(bytes).summary.find('\x1b'), std::string::npos);
  EXPECT_LE(parse_plugin_output(std::string(100'000, 'x')).summary.size(), 310u);
}

}  // namespace
}  // namespace vitald::wire
