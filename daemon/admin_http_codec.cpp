#include "daemon/admin_http_codec.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>
#include <optional>

namespace vitald::daemon {

namespace http = boost::beast::http;

namespace {

std::string_view reason_phrase(int status) {
  const auto phrase = http::obsolete_reason(static_cast<http::status>(status));
  return {phrase.data(), phrase.size()};
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && nibble(text[i + 1]) >= 0 && nibble(text[i + 2]) >= 0) {
      plain += static_cast<char>(nibble(text[i + 1]) * 16 + nibble(text[i + 2]));
      i += 2;
    } else {
      plain += text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

}  // namespace

std::string HttpAsk::parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name)
      return percent_decoded(pair.substr(equals + 1));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return "";
}

struct HttpDecoder::Parser {
  http::request_parser<http::empty_body> beast;
  Parser() { beast.header_limit(most_header_bytes); }
};

HttpDecoder::HttpDecoder() : parser_(std::make_unique<Parser>()) {}
HttpDecoder::~HttpDecoder() = default;

HttpDecoder::State HttpDecoder::feed(std::string& bytes) {
  // RFC 9112 section 2.2: empty lines before a request are to be ignored.
  if (!parser_->beast.got_some()) bytes.erase(0, bytes.find_first_not_of("\r\n"));
  if (bytes.empty()) return State::more;
  boost::beast::error_code error;
  const std::size_t used = parser_->beast.put(boost::asio::buffer(bytes), error);
  bytes.erase(0, used);
  if (error == http::error::need_more) {
    if (bytes.size() > most_header_bytes) return refuse(431, "The request's header is larger than 16 KiB.");
    return State::more;
  }
  if (error == http::error::header_limit) return refuse(431, "The request's header is larger than 16 KiB.");
  if (error == http::error::bad_version) return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  if (error) return refuse(400, "This is not a valid HTTP/1.1 request (" + error.message() + ").");
  return finish();
}

HttpDecoder::State HttpDecoder::finish() {
  const auto& message = parser_->beast.get();
  const auto length = parser_->beast.content_length();
  if (parser_->beast.chunked() || message.count(http::field::transfer_encoding) > 0 || (length && *length > 0)) {
    return refuse(413, "A request with a body is not taken here.");
  }
  if (message.count(http::field::host) != 1) return refuse(400, "A request needs exactly one Host header.");
  if (message.version() != 10 && message.version() != 11)
    return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  const std::string_view target(message.target().data(), message.target().size());
  if (!target.starts_with('/')) return refuse(400, "The request's target must be a path.");
  const auto mark = std::min(target.find('?'), target.size());
  const auto host = message[http::field::host];
  ask_ = HttpAsk{.method = std::string(message.method_string()),
                 .path = std::string(target.substr(0, mark)),
                 .query = std::string(target.substr(std::min(mark + 1, target.size()))),
                 .host = std::string(host),
                 .version = static_cast<int>(message.version()),
                 .keep_alive = message.keep_alive()};
  parser_ = std::make_unique<Parser>();
  return State::complete;
}

HttpDecoder::State HttpDecoder::refuse(int status, std::string sentence) {
  refusal_ = Answer{.status = status, .body = std::move(sentence) + "\n"};
  return State::bad;
}

std::string answer_head(const Answer& answer, const BodyShape& shape, bool keep_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  head += reason_phrase(answer.status);
  head += "\r\nContent-Type: " + answer.type;
  if (shape.chunked) {
    head += "\r\nTransfer-Encoding: chunked";
  } else if (!shape.until_close) {
    head += "\r\nContent-Length: " + std::to_string(shape.length);
  }
  for (const auto& [name, value] : answer.headers) {
    head += "\r\n";
    head += name;
    head += ": " + value;
  }
  head += keep_alive ? "\r\nConnection: keep-alive" : "\r\nConnection: close";
  head +=
      "\r\nCache-Control: no-store"
      "\r\nContent-Security-Policy: default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
      "form-action 'none'"
      "\r\nX-Content-Type-Options: nosniff"
      "\r\nX-Frame-Options: DENY"
      "\r\nReferrer-Policy: no-referrer"
      "\r\n\r\n";
  return head;
}

void append_chunk(std::string& out, std::string_view bytes) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes.size(), 16).ptr;
  out.append(digits.data(), end);
  out += "\r\n";
  out += bytes;
  out += "\r\n";
}

}  // namespace vitald::daemon
