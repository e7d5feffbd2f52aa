// Answers of the Docker Engine as the tests of the docker probe need them.
#pragma once

#include <string>

namespace vitald::testing {

inline std::string http_reply(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " Words\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

/// As Docker 24 says it, but for what the tests do not look at. `state` and `host` are members of those objects, `more`
/// such of the container's own.
inline std::string container_json(const std::string& state, const std::string& host = R"("Memory":0)",
                                  const std::string& more = R"("Name":"/web","RestartCount":0)") {
  return R"({"Id":"a1b2c3","Created":"2026-11-01T00:00:00Z","Path":"/bin/web","Args":["--token=s3cret"],)" + more +
         R"(,"Image":"sha256:9f8e","State":{)" + state +
         R"(,"Pid":77},"HostConfig":{)" + host +
         R"(,"RestartPolicy":{"Name":"always","MaximumRetryCount":0}},"Config":{"Image":"shop/web:1.4","Tty":false,)"
         R"("Env":["PASSWORD=s3cret"],"Labels":{}}})";
}

}  // namespace vitald::testing
