#include "probes/wire/xml_rpc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitald::wire {
namespace {

using ::testing::HasSubstr;

std::string response(const std::string& value) {
  return "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>" + value +
         "</value>\n</param>\n</params>\n</methodResponse>\n";
}

std::string why(const std::string& text, const XmlRpcLimits& limits = {}) {
  const auto answer = xml_rpc_answer(text, limits);
  return answer ? "taken" : answer.failure().what;
}

XmlRpcValue value(const std::string& text) {
  const auto answer = xml_rpc_answer(response(text));
  EXPECT_TRUE(answer) << answer.failure().what;
  return std::get<XmlRpcValue>(*answer);
}

TEST(XmlRpc, ACallIsWellFormed) {
  EXPECT_EQ(
      xml_rpc_call("supervisor.getState"),
      "<?xml version=\"1.0\"?><methodCall><methodName>supervisor.getState</methodName><params></params></methodCall>");
  EXPECT_THAT(xml_rpc_call("m", {std::string("a<b>&c\n"), -4096}),
              HasSubstr("<param><value><string>a&lt;b&gt;&amp;c</string></value></param>"
                        "<param><value><int>-4096</int></value></param>"));
}

TEST(XmlRpc, EveryKindOfValue) {
  EXPECT_EQ(value("<string> a &lt;&amp;&#233; </string>").text, " a <&\xc3\xa9 ");
  EXPECT_EQ(value("plain").text, "plain");
  EXPECT_EQ(value("").text, "");
  EXPECT_EQ(value("<int> -5 </int>").number, -5);
  EXPECT_EQ(value("<i4>7</i4>").number, 7);
  EXPECT_EQ(value("<double>1.5</double>").number, 1.5);
  EXPECT_EQ(value("<boolean>1</boolean>").kind, XmlRpcValue::Kind::boolean);
  EXPECT_EQ(value("<string><![CDATA[<x>]]></string>").text, "<x>");
  const auto all = value(
      "<array><data>\n<value><struct>\n<member>\n<name>name</name>\n<value><string>w</string></value>\n</member>"
      "<member><name>pid</name><value><int>4</int></value></member></struct></value>\n<value>b</value></data></array>");
  ASSERT_EQ(all.items.size(), 2u);
  EXPECT_EQ(all.items[0].text_of("name"), "w");
  EXPECT_EQ(all.items[0].number_of("pid"), 4);
  EXPECT_EQ(all.items[0].text_of("pid"), "");
  EXPECT_EQ(all.items[0].number_of("none"), 0);
  EXPECT_EQ(all.items[1].text, "b");
}

TEST(XmlRpc, AFaultIsAnAnswer) {
  const auto answer = xml_rpc_answer(
      "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>10</int></value></member>"
      "<member><name>faultString</name><value><string>BAD_NAME: x</string></value></member></struct></value></fault>"
      "</methodResponse>");
  ASSERT_TRUE(answer);
  EXPECT_EQ(std::get<XmlRpcFault>(*answer).code, 10);
  EXPECT_EQ(std::get<XmlRpcFault>(*answer).text, "BAD_NAME: x");
}

TEST(XmlRpc, WhatIsNoneIsRefused) {
  EXPECT_THAT(why(""), HasSubstr("no XML"));
  EXPECT_THAT(why("<html><body>400</body></html>"), HasSubstr("XML, but no XML-RPC"));
  EXPECT_THAT(why("<methodResponse><params>"), HasSubstr("no XML"));
  EXPECT_THAT(why("<methodResponse></methodResponse>"), HasSubstr("a <value> is missing"));
  EXPECT_THAT(why(response("<struct><member><name>a</name></member></struct>")), HasSubstr("a <value> is missing"));
  EXPECT_THAT(why(response("<int>many</int>")), HasSubstr("a number that is none"));
  EXPECT_THAT(why(response("<int>0x10</int>")), HasSubstr("a number that is none"));
}

TEST(XmlRpc, EverythingHasALimit) {
  const XmlRpcLimits limits{.bytes = 1000, .values = 5, .depth = 2};
  EXPECT_THAT(why(response(std::string(1000, 'a')), limits), HasSubstr("longer than"));
  const std::string one = "<value>a</value>";
  EXPECT_EQ(why(response("<array><data>" + one + one + one + one + "</data></array>"), limits), "taken");
  EXPECT_THAT(why(response("<array><data>" + one + one + one + one + one + "</data></array>"), limits),
              HasSubstr("more than 5 values"));
  std::string nested = "a";
  for (int i = 0; i < 3; ++i) nested = "<array><data><value>" + nested + "</value></data></array>";
  EXPECT_THAT(why(response(nested), limits), HasSubstr("nested more than 2 deep"));
}

TEST(XmlRpc, EntitiesAndDocumentTypesAreNotFollowed) {
  const std::string bomb =
      "<?xml version='1.0'?><!DOCTYPE b [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">"
      "<!ENTITY f SYSTEM \"file:///etc/passwd\">]>";
  const auto answer = xml_rpc_answer(bomb + response("<string>&b;&f;</string>").substr(21));
  if (answer) {
    EXPECT_EQ(std::get<XmlRpcValue>(*answer).text, "&b;&f;");
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<value>";
  EXPECT_NE(why(response(deep)), "taken");
}

}  // namespace
}  // namespace vitald::wire
