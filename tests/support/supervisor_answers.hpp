// What supervisord says, as HTTP, for scripts.
#pragma once

#include <string>

namespace vitald::testing {

inline std::string http_answer(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status +
         "\r\nServer: Medusa/1.12\r\nContent-Type: text/xml\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

inline std::string xml_value(const std::string& value) {
  return http_answer("<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>" + value +
                     "</value>\n</param>\n</params>\n</methodResponse>\n");
}

inline std::string xml_fault(int code, const std::string& text) {
  return http_answer(
      "<?xml "
      "version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n<value><int>" +
      std::to_string(code) + "</int></value>\n</member>\n<member>\n<name>faultString</name>\n<value><string>" + text +
      "</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n");
}

/// One program as getAllProcessInfo has it.
inline std::string xml_program(const std::string& group, const std::string& name, int state,
                               const std::string& stderr_log = "/var/log/x") {
  const auto member = [](const std::string& key, const std::string& value) {
    return "<member>\n<name>" + key + "</name>\n<value>" + value + "</value>\n</member>\n";
  };
  const auto text = [](const std::string& value) { return "<string>" + value + "</string>"; };
  const auto number = [](long value) { return "<int>" + std::to_string(value) + "</int>"; };
  return "<value><struct>\n" + member("name", text(name)) + member("group", text(group)) +
         member("start", number(1'795'255'200)) + member("stop", number(0)) + member("now", number(1'795'262'400)) +
         member("state", number(state)) + member("statename", text("whatever")) + member("spawnerr", text("")) +
         member("exitstatus", number(0)) + member("logfile", text("/var/log/x")) +
         member("stderr_logfile", text(stderr_log)) + member("pid", number(17)) + "</struct></value>\n";
}

inline std::string xml_programs(const std::string& programs) {
  return xml_value("<array><data>\n" + programs + "</data></array>");
}

}  // namespace vitald::testing
