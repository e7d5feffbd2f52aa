#include "probes/wire/resp.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>

namespace vitald::wire {
namespace {

struct FreeReader {
  void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }
};
struct FreeReply {
  void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};

// Type, sign, nineteen digits, and room to spare: a number's line that is longer is no RESP.
constexpr std::size_t longest_number_line = 32;
constexpr std::size_t bytes_of_slack = 64 * 1024;  // what one feed may bring beyond the replies themselves

Failure no_resp(const std::string& why) { return {"", "the answer is not the Redis protocol: " + why}; }
Failure too_much(const std::string& why) { return {"", "the answer is too large: " + why}; }

std::optional<std::int64_t> whole_number(std::string_view digits) {
  std::int64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc{} || stop != end || digits.empty()) return std::nullopt;
  return value;
}

std::string quoted(char letter) { return {'\'', letter, '\''}; }

/// What a byte that begins no RESP2 reply tells about the peer, where it tells something.
std::string strange_start(char first) {
  // A TLS record begins with its type: 0x15 is an alert, 0x16 a handshake (RFC 8446 section 5.1).
  if (first == '\x15' || first == '\x16') return "this is TLS";
  if (std::string_view("_,#(!=%~>|").find(first) != std::string_view::npos)
    return "it begins with " + quoted(first) + ", a type of RESP3 that nobody asked for";
  if (first > ' ' && first < '\x7f') return "it begins with " + quoted(first);
  return "it begins with a byte that has no meaning there";
}

/// Nesting was bounded before hiredis built the tree, and so is this recursion.
RespReply convert(const redisReply& from) {
  RespReply reply;
  switch (from.type) {
    case REDIS_REPLY_STATUS:
      reply.type = RespReply::Type::status;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ERROR:
      reply.type = RespReply::Type::error;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_STRING:
      reply.type = RespReply::Type::bulk;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_INTEGER:
      reply.type = RespReply::Type::integer;
      reply.integer = from.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.type = RespReply::Type::array;
      reply.items.reserve(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i) reply.items.push_back(convert(*from.element[i]));
      break;
    default:
      break;  // nil
  }
  return reply;
}

}  // namespace

std::string_view RespReply::error_word() const {
  if (!is_error()) return {};
  return std::string_view(text).substr(0, text.find(' '));
}

std::string resp_command(const std::vector<std::string>& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return bytes;
}

/// Finds where a reply ends before hiredis sees any of it: hiredis allocates an array on the word of its header
/// (`*100000000` is 765 MB), overflows on the largest lengths, and looks for the end of a line from its beginning at
/// every byte that comes.
struct RespReader::State {
  explicit State(RespLimits given) : limits(given), reader(redisReaderCreate()) {}

  Result<bool> scan();
  Result<bool> step();
  Result<bool> line(std::string_view text);
  Result<bool> array(std::size_t header, std::int64_t count);
  Result<bool> bulk(std::size_t header, std::int64_t size);
  bool take(std::size_t size);
  void make_room();
  Result<std::optional<RespReply>> parse();
  std::size_t reply_bytes() const { return at - begin; }

  RespLimits limits;
  std::unique_ptr<redisReader, FreeReader> reader;
  std::string bytes;
  std::size_t begin = 0;             // of the reply that comes next
  std::size_t at = 0;                // scanned up to here: the beginning of its next item
  std::size_t searched = 0;          // no line ends before this
  std::vector<std::size_t> missing;  // items that each open array still lacks, the outermost first
  std::size_t items = 0;             // of all arrays of this reply
  bool whole = false;                // the reply ends at `at`
  std::optional<Failure> failed;
};

/// True: the reply is whole. False: more bytes are needed.
Result<bool> RespReader::State::scan() {
  while (!whole) {
    auto moved = step();
    if (!moved) return moved;
    if (reply_bytes() > limits.reply_bytes || (!*moved && bytes.size() - begin > limits.reply_bytes))
      return too_much("more than " + std::to_string(limits.reply_bytes) + " bytes");
    if (!*moved) return false;
  }
  return true;
}

/// One item or one header; false where it is not there yet.
Result<bool> RespReader::State::step() {
  if (at >= bytes.size()) return false;
  const char first = bytes[at];
  if (std::string_view("+-:$*").find(first) == std::string_view::npos) return no_resp(strange_start(first));
  const bool number = first != '+' && first != '-';
  const std::size_t end = bytes.find("\r\n", std::max(searched, at + 1));
  const std::size_t length = (end == std::string::npos ? bytes.size() : end) - at;
  if (number && length > longest_number_line) return no_resp("a length is no number");
  if (end == std::string::npos) {
    searched = bytes.size() - 1;  // the last byte may be the '\r'
    return false;
  }
  return line(std::string_view(bytes).substr(at, length));
}

/// `text` is the item's first line without its end.
Result<bool> RespReader::State::line(std::string_view text) {
  const std::size_t size = text.size() + 2;
  if (text.front() == '+' || text.front() == '-') return take(size);
  const auto number = whole_number(text.substr(1));
  if (!number) return no_resp("a length is no number");
  if (text.front() == ':') return take(size);
  if (*number < -1) return no_resp("a length is negative");
  if (text.front() == '*') return array(size, *number);
  return bulk(size, *number);
}

Result<bool> RespReader::State::bulk(std::size_t header, std::int64_t size) {
  if (size < 0) return take(header);  // nil
  if (size > static_cast<std::int64_t>(limits.reply_bytes))
    return too_much("a text of " + std::to_string(size) + " bytes");
  const std::size_t all = header + static_cast<std::size_t>(size) + 2;
  if (at + all > bytes.size()) return false;
  if (std::string_view(bytes).substr(at + all - 2, 2) != "\r\n") return no_resp("a text does not end where it should");
  return take(all);
}

Result<bool> RespReader::State::array(std::size_t header, std::int64_t count) {
  if (count <= 0) return take(header);
  const std::size_t wanted = static_cast<std::size_t>(count);
  if (wanted > limits.items - items) return too_much("a list of " + std::to_string(count) + " entries");
  if (missing.size() >= static_cast<std::size_t>(limits.depth)) return too_much("lists nested too deeply");
  items += wanted;
  missing.push_back(wanted);
  at += header;
  return true;
}

/// An item without items of its own ends here, and with the last one of an array the array.
bool RespReader::State::take(std::size_t size) {
  at += size;
  while (!missing.empty() && --missing.back() == 0) missing.pop_back();
  whole = missing.empty();
  return true;
}

Result<std::optional<RespReply>> RespReader::State::parse() {
  void* found = nullptr;
  const bool parsed = redisReaderFeed(reader.get(), bytes.data() + begin, reply_bytes()) == REDIS_OK &&
                      redisReaderGetReply(reader.get(), &found) == REDIS_OK && found != nullptr;
  const std::unique_ptr<redisReply, FreeReply> tree(static_cast<redisReply*>(found));
  if (!parsed) return no_resp(reader->err == REDIS_ERR_OOM ? "no memory to read it" : "it cannot be parsed");
  begin = at;
  searched = 0;
  items = 0;
  whole = false;
  if (begin == bytes.size()) {
    bytes.clear();
    begin = at = 0;
  }
  return std::optional(convert(*tree));
}

RespReader::RespReader(RespLimits limits) : state_(std::make_unique<State>(limits)) {}
RespReader::RespReader(RespReader&&) noexcept = default;
RespReader& RespReader::operator=(RespReader&&) noexcept = default;
RespReader::~RespReader() = default;

/// Drops the replies that were handed out already.
void RespReader::State::make_room() {
  bytes.erase(0, begin);
  at -= begin;
  searched -= std::min(searched, begin);
  begin = 0;
}

Result<void> RespReader::feed(std::string_view bytes) {
  State& state = *state_;
  if (state.failed) return *state.failed;
  if (state.begin > 0) state.make_room();
  // Whole replies that nobody took count too; one of them and the beginning of the next is what a caller leaves here.
  if (bytes.size() + state.bytes.size() > 2 * state.limits.reply_bytes + bytes_of_slack) {
    state.failed = too_much("more came than was asked for");
    return *state.failed;
  }
  state.bytes += bytes;
  const auto scanned = state.scan();
  if (scanned) return {};
  state.failed = scanned.failure();
  return *state.failed;
}

Result<std::optional<RespReply>> RespReader::next() {
  State& state = *state_;
  if (state.failed) return *state.failed;
  const auto scanned = state.scan();
  if (scanned && !*scanned) return std::optional<RespReply>();
  auto reply = scanned ? state.parse() : Result<std::optional<RespReply>>(scanned.failure());
  if (!reply) state.failed = reply.failure();
  return reply;
}

bool RespReader::idle() const { return !state_->failed && state_->bytes.size() == state_->begin; }

}  // namespace vitald::wire
