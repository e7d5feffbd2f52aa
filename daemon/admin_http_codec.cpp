#include "daemon/admin_http_codec.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>
#include <optional>

#include "config/ascii.hpp"
#include "daemon/ping_route.hpp"

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

/// Keeps the end of a body, however long it is.
struct EndOfBody {
  using value_type = std::string;

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, std::string& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>&, boost::beast::error_code& error) { error = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::beast::error_code& error) {
      error = {};
      std::size_t size = 0;
      for (auto at = boost::asio::buffer_sequence_begin(buffers); at != boost::asio::buffer_sequence_end(buffers);
           ++at) {
        const boost::asio::const_buffer piece = *at;
        body_.append(static_cast<const char*>(piece.data()), piece.size());
        size += piece.size();
      }
      if (body_.size() > HttpDecoder::most_body_kept) body_.erase(0, body_.size() - HttpDecoder::most_body_kept);
      return size;
    }
    void finish(boost::beast::error_code& error) { error = {}; }

   private:
    std::string& body_;
  };
};

template <class Message>
std::string token_of(const Message& message) {
  constexpr std::string_view scheme = "bearer ";
  const auto header = message[http::field::authorization];
  const std::string_view authorization(header.data(), header.size());
  if (equal_but_case(authorization.substr(0, scheme.size()), scheme)) {
    return std::string(authorization.substr(scheme.size()));
  }
  return std::string(message["X-Token"]);
}

template <class Message>
bool from_foreign_page(const Message& message) {
  const auto site = message["Sec-Fetch-Site"];
  return !site.empty() && site != "same-origin" && site != "none";
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
  http::request_parser<EndOfBody> beast;
  bool judged = false;  // the head
  Parser() {
    beast.header_limit(most_header_bytes);
    beast.body_limit(most_body_bytes);
  }
};

HttpDecoder::HttpDecoder() : parser_(std::make_unique<Parser>()) {}
HttpDecoder::~HttpDecoder() = default;

HttpDecoder::State HttpDecoder::feed(std::string& bytes) {
  // RFC 9112 section 2.2: empty lines before a request are to be ignored.
  if (!parser_->beast.got_some()) bytes.erase(0, bytes.find_first_not_of("\r\n"));
  if (bytes.empty()) return State::more;
  // The parser stops behind the head, and behind each piece of a body.
  while (true) {
    boost::beast::error_code error;
    const std::size_t used = parser_->beast.put(boost::asio::buffer(bytes), error);
    bytes.erase(0, used);
    if (error && error != http::error::need_more) return refuse_for(error);
    if (parser_->beast.is_header_done() && !parser_->judged) {
      parser_->judged = true;
      if (judge_head() == State::bad) return State::bad;
    }
    if (parser_->beast.is_done()) return finish();
    if (error && bytes.size() > most_header_bytes) return refuse(431, "The request's header is larger than 16 KiB.");
    if (error || bytes.empty()) return State::more;
  }
}

HttpDecoder::State HttpDecoder::refuse_for(const boost::system::error_code& error) {
  if (error == http::error::header_limit) return refuse(431, "The request's header is larger than 16 KiB.");
  if (error == http::error::body_limit) return refuse(413, "A ping's body may have 1 MiB; send the end: tail -c 10000");
  if (error == http::error::bad_version) return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  return refuse(400, "This is not a valid HTTP/1.1 request (" + error.message() + ").");
}

HttpDecoder::State HttpDecoder::judge_head() {
  const auto& message = parser_->beast.get();
  const auto length = parser_->beast.content_length();
  const std::string_view target(message.target().data(), message.target().size());
  const bool chunked = parser_->beast.chunked();
  const bool coded = message.count(http::field::transfer_encoding) > 0;
  const bool may_have_body = message.method() == http::verb::post && is_ping_path(target);
  if ((coded && !chunked) || (!may_have_body && (chunked || (length && *length > 0)))) {
    return refuse(413, "A request with a body is not taken here.");
  }
  if (message.count(http::field::host) != 1) return refuse(400, "A request needs exactly one Host header.");
  if (message.version() != 10 && message.version() != 11)
    return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  if (!target.starts_with('/')) return refuse(400, "The request's target must be a path.");
  return State::more;
}

HttpDecoder::State HttpDecoder::finish() {
  const auto& message = parser_->beast.get();
  const std::string_view target(message.target().data(), message.target().size());
  const auto mark = std::min(target.find('?'), target.size());
  const auto host = message[http::field::host];
  ask_ = HttpAsk{.method = std::string(message.method_string()),
                 .path = std::string(target.substr(0, mark)),
                 .query = std::string(target.substr(std::min(mark + 1, target.size()))),
                 .host = std::string(host),
                 .token = token_of(message),
                 .body = message.body(),
                 .foreign_page = from_foreign_page(message),
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
