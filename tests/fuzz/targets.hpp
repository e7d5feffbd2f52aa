// What is fuzzed: every codec of bytes that a target may have sent. docs/fuzzing.md is the manual.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vitald::fuzz {

struct Target {
  std::string_view name;  // of the function, its file in targets/, its folder in corpus/ and its program
  /// Takes any bytes; ends the process where the code under test breaks a promise.
  void (*run)(const std::uint8_t* data, std::size_t size);
};

void resp(const std::uint8_t* data, std::size_t size);
void redis_info(const std::uint8_t* data, std::size_t size);
void amqp(const std::uint8_t* data, std::size_t size);
void cron(const std::uint8_t* data, std::size_t size);
void amp(const std::uint8_t* data, std::size_t size);
void xml_rpc(const std::uint8_t* data, std::size_t size);
void fastcgi(const std::uint8_t* data, std::size_t size);
void docker_logs(const std::uint8_t* data, std::size_t size);
void docker_json(const std::uint8_t* data, std::size_t size);
void kernel_text(const std::uint8_t* data, std::size_t size);
void log_lines(const std::uint8_t* data, std::size_t size);
void s3(const std::uint8_t* data, std::size_t size);
void archive(const std::uint8_t* data, std::size_t size);
void certificate(const std::uint8_t* data, std::size_t size);
void perfdata(const std::uint8_t* data, std::size_t size);

std::span<const Target> targets();

/// Ends the process with `promise` on standard error, unless it holds.
void must(bool holds, const char* promise);

}  // namespace vitald::fuzz
