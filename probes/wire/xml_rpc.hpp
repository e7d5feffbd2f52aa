// XML-RPC (xmlrpc.com/spec): a call to bytes, and bytes to an answer, without I/O. pugixml does the parsing; it knows
// no document types, so there are no entities but XML's own five.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/result.hpp"

namespace vitald::wire {

struct XmlRpcValue {
  enum class Kind { text, number, boolean, list, structure };
  Kind kind = Kind::text;
  std::string text = {};                                          // of text, and of base64 and dates as sent
  double number = 0;                                              // of number; 1 or 0 of boolean
  std::vector<XmlRpcValue> items = {};                            // of list
  std::vector<std::pair<std::string, XmlRpcValue>> members = {};  // of structure

  /// nullptr where there is none, or this is no structure.
  const XmlRpcValue* member(std::string_view name) const;
  /// The member's text or number, where it is one; otherwise "" or 0.
  std::string_view text_of(std::string_view name) const;
  double number_of(std::string_view name) const;
};

struct XmlRpcFault {
  int code = 0;
  std::string text;
};

using XmlRpcAnswer = std::variant<XmlRpcValue, XmlRpcFault>;

struct XmlRpcLimits {
  std::size_t bytes = 2 << 20;
  std::size_t values = 60'000;
  int depth = 16;  // of lists and structures within each other
};

/// A call with text and whole numbers as parameters.
std::string xml_rpc_call(std::string_view method, const std::vector<std::variant<std::string, int>>& parameters = {});

/// Failure: no XML-RPC response, or over a limit; its text says which.
Result<XmlRpcAnswer> xml_rpc_answer(std::string_view text, const XmlRpcLimits& limits = {});

}  // namespace vitald::wire
