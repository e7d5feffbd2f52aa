#include "probes/wire/fastcgi.hpp"

#include <algorithm>
#include <charconv>

#include "config/ascii.hpp"

namespace vitald::wire {
namespace {

// Record types and numbers as the specification, section 8, has them.
constexpr std::uint8_t version = 1, begin_request = 1, end_request = 3, params_stream = 4, stdin_stream = 5,
                       stdout_stream = 6, stderr_stream = 7;
constexpr std::uint16_t responder = 1, our_request = 1;
constexpr std::size_t head_bytes = 8, end_body_bytes = 8, most_content = 65535;

void put_short(std::string& out, std::size_t number) {
  out.push_back(static_cast<char>((number >> 8) & 0xff));
  out.push_back(static_cast<char>(number & 0xff));
}

void put_record(std::string& out, std::uint8_t type, std::string_view content) {
  out.push_back(static_cast<char>(version));
  out.push_back(static_cast<char>(type));
  put_short(out, our_request);
  put_short(out, content.size());
  out.append(2, '\0');  // no padding, reserved
  out.append(content);
}

/// One byte below 128, or four with the highest bit set (section 3.4).
void put_length(std::string& out, std::size_t length) {
  if (length >= 128) {
    put_short(out, 0x8000 | (length >> 16 & 0x7fff));
    put_short(out, length & 0xffff);
  } else {
    out.push_back(static_cast<char>(length));
  }
}

std::size_t octet(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

Failure over(const std::string& what, std::size_t limit) {
  return {"", what + " has more than " + std::to_string(limit) + " bytes"};
}

/// The first line of `rest`, taken off with its end; CRLF or LF.
std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  return text;
}

}  // namespace

std::string fastcgi_request(const FastCgiParams& params) {
  std::string begin;
  put_short(begin, responder);
  begin.append(6, '\0');  // flags: close the connection after the answer; reserved

  std::string pairs;
  for (const auto& [name, value] : params) {
    put_length(pairs, name.size());
    put_length(pairs, value.size());
    pairs.append(name).append(value);
  }

  std::string out;
  put_record(out, begin_request, begin);
  for (std::string_view rest = pairs; !rest.empty(); rest.remove_prefix(std::min(rest.size(), most_content)))
    put_record(out, params_stream, rest.substr(0, most_content));
  put_record(out, params_stream, "");
  put_record(out, stdin_stream, "");
  return out;
}

Result<void> FastCgiReader::feed(std::string_view bytes) {
  if (end_ != End::none) return {};
  taken_ += bytes.size();
  if (taken_ > limits_.all_bytes) return over("the answer", limits_.all_bytes);
  held_.append(bytes);
  std::string_view rest = held_;
  while (end_ == End::none && !rest.empty()) {
    if (octet(rest, 0) != version)
      return Failure{"", "a record begins with the byte " + std::to_string(octet(rest, 0))};
    if (rest.size() < head_bytes) break;
    const std::size_t content = octet(rest, 4) << 8 | octet(rest, 5);
    const std::size_t whole = head_bytes + content + octet(rest, 6);
    const std::size_t request = octet(rest, 2) << 8 | octet(rest, 3);
    if (request != our_request) return Failure{"", "a record belongs to the request " + std::to_string(request)};
    if (rest.size() < whole) break;
    auto taken = take(static_cast<std::uint8_t>(octet(rest, 1)), rest.substr(head_bytes, content));
    if (!taken) return taken;
    rest.remove_prefix(whole);
  }
  held_.erase(0, held_.size() - rest.size());
  return {};
}

Result<void> FastCgiReader::take(std::uint8_t type, std::string_view content) {
  switch (type) {
    case stdout_stream:
      if (content.size() > limits_.output_bytes - output_.size()) return over("the answer", limits_.output_bytes);
      output_.append(content);
      return {};
    case stderr_stream:
      errors_.append(content.substr(0, limits_.error_bytes - errors_.size()));
      return {};
    case end_request:
      if (content.size() < end_body_bytes) return Failure{"", "the last record is cut"};
      if (octet(content, 4) > 3)
        return Failure{"", "the request ended with the unknown status " + std::to_string(octet(content, 4))};
      end_ = static_cast<End>(octet(content, 4) + 1);
      return {};
    default:
      return Failure{"", "a record has the type " + std::to_string(type) + ", which is none of an answer"};
  }
}

Result<CgiAnswer> cgi_answer(std::string_view output) {
  CgiAnswer answer;
  std::string_view rest = output;
  while (!rest.empty()) {
    const auto line = take_line(rest);
    if (line.empty()) {
      answer.body = rest;
      return answer;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return Failure{"", "the answer does not begin with a header"};
    if (!equal_but_case(line.substr(0, colon), "status")) continue;
    const auto value = trimmed(line.substr(colon + 1));
    const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), answer.status);
    if (error != std::errc{} || answer.status < 100 || answer.status > 999)
      return Failure{"", "the status is no number"};
    answer.reason = std::string(trimmed(value.substr(static_cast<std::size_t>(stop - value.data()))));
  }
  return Failure{"", "the answer ends within its header"};
}

}  // namespace vitald::wire
