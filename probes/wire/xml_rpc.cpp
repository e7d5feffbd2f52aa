#include "probes/wire/xml_rpc.hpp"

#include <cmath>
#include <cstring>
#include <pugixml.hpp>

#include "config/units.hpp"

namespace vitald::wire {
namespace {

/// What XML 1.0 cannot hold is left out: no name of supervisor's has it.
std::string escaped(std::string_view text) {
  std::string made;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        made += "&amp;";
        break;
      case '<':
        made += "&lt;";
        break;
      case '>':
        made += "&gt;";
        break;
      default:
        if (static_cast<unsigned char>(letter) >= ' ') made += letter;
    }
  }
  return made;
}

bool is_named(const pugi::xml_node& node, const char* name) { return std::strcmp(node.name(), name) == 0; }

std::string_view trimmed(std::string_view text) {
  const auto blank = " \t\r\n";
  const auto begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

/// Walks the document once; the first thing that is wrong stays in `problem`.
class Walk {
 public:
  explicit Walk(const XmlRpcLimits& limits) : limits_(limits) {}
  std::string problem;

  XmlRpcValue value(const pugi::xml_node& node, int depth) {
    XmlRpcValue made;
    if (!is_named(node, "value")) refuse("a <value> is missing");
    if (++values_ > limits_.values) refuse("more than " + std::to_string(limits_.values) + " values");
    if (depth > limits_.depth) refuse("nested more than " + std::to_string(limits_.depth) + " deep");
    if (!problem.empty()) return made;
    const pugi::xml_node type =
        node.find_child([](const pugi::xml_node& child) { return child.type() == pugi::node_element; });
    if (!type) {  // without a type it is text
      made.text = node.text().get();
    } else if (is_named(type, "struct")) {
      made.kind = XmlRpcValue::Kind::structure;
      read_members(type, depth, made);
    } else if (is_named(type, "array")) {
      made.kind = XmlRpcValue::Kind::list;
      for (const pugi::xml_node& item : type.child("data").children("value"))
        if (problem.empty()) made.items.push_back(value(item, depth + 1));
    } else {
      read_scalar(type, made);
    }
    return made;
  }

 private:
  void refuse(std::string what) {
    if (problem.empty()) problem = std::move(what);
  }

  void read_members(const pugi::xml_node& type, int depth, XmlRpcValue& made) {
    for (const pugi::xml_node& member : type.children("member")) {
      if (!problem.empty()) return;
      made.members.emplace_back(member.child("name").text().get(), value(member.child("value"), depth + 1));
    }
  }

  void read_scalar(const pugi::xml_node& type, XmlRpcValue& made) {
    made.text = type.text().get();
    const bool boolean = is_named(type, "boolean");
    if (!boolean && !is_named(type, "int") && !is_named(type, "i4") && !is_named(type, "double")) return;
    made.kind = boolean ? XmlRpcValue::Kind::boolean : XmlRpcValue::Kind::number;
    const auto number = parse_number(trimmed(made.text));
    if (!number) {
      refuse("a number that is none");
      return;
    }
    made.number = *number;
    made.text.clear();
  }

  XmlRpcLimits limits_;
  std::size_t values_ = 0;
};

}  // namespace

const XmlRpcValue* XmlRpcValue::member(std::string_view name) const {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

std::string_view XmlRpcValue::text_of(std::string_view name) const {
  const auto* found = member(name);
  return found == nullptr || found->kind != Kind::text ? std::string_view() : std::string_view(found->text);
}

double XmlRpcValue::number_of(std::string_view name) const {
  const auto* found = member(name);
  return found == nullptr || found->kind != Kind::number ? 0 : found->number;
}

std::string xml_rpc_call(std::string_view method, const std::vector<std::variant<std::string, int>>& parameters) {
  std::string call = "<?xml version=\"1.0\"?><methodCall><methodName>" + std::string(method) + "</methodName><params>";
  for (const auto& parameter : parameters) {
    const auto* number = std::get_if<int>(&parameter);
    call += "<param><value>";
    call += number != nullptr ? "<int>" + std::to_string(*number) + "</int>"
                              : "<string>" + escaped(std::get<std::string>(parameter)) + "</string>";
    call += "</value></param>";
  }
  return call + "</params></methodCall>";
}

Result<XmlRpcAnswer> xml_rpc_answer(std::string_view text, const XmlRpcLimits& limits) {
  if (text.size() > limits.bytes)
    return Failure{"", "the answer is longer than " + std::to_string(limits.bytes >> 10) + " KiB"};
  pugi::xml_document document;
  // No trimming: a log's blanks are its own. No comments, no processing instructions, no DOCTYPE.
  const auto parsed =
      document.load_buffer(text.data(), text.size(), pugi::parse_cdata | pugi::parse_escapes, pugi::encoding_utf8);
  if (!parsed) return Failure{"", "the answer is no XML: " + std::string(parsed.description())};
  const pugi::xml_node response = document.child("methodResponse");
  if (!response) return Failure{"", "the answer is XML, but no XML-RPC"};
  const pugi::xml_node fault = response.child("fault");
  Walk walk(limits);
  XmlRpcValue value =
      walk.value(fault ? fault.child("value") : response.child("params").child("param").child("value"), 0);
  if (!walk.problem.empty()) return Failure{"", "the answer is no XML-RPC: " + walk.problem};
  if (!fault) return XmlRpcAnswer(std::move(value));
  const double code = value.number_of("faultCode");
  return XmlRpcAnswer(
      XmlRpcFault{std::abs(code) < 1e6 ? static_cast<int>(code) : 0, std::string(value.text_of("faultString"))});
}

}  // namespace vitald::wire
