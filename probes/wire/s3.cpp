#include "probes/wire/s3.hpp"

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>

#include "config/units.hpp"

namespace vitald::wire::s3 {
namespace {

constexpr double largest_object = 1e15;  // S3's own limit is 5 TiB
constexpr std::size_t most_objects = 2000;

/// Without "s3:" in front.
std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name.substr(name.find(':') + 1);
}

pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) {
  return parent.find_child([&](const pugi::xml_node& node) { return local_name(node) == name; });
}

std::string text(const pugi::xml_node& parent, std::string_view name) { return child(parent, name).text().get(); }

/// The root element of that name. The document must live as long as it is used.
Result<pugi::xml_node> parse_root(pugi::xml_document& document, std::string_view xml, std::string_view name) {
  const Failure failure{"", "is no answer of S3 (" + std::string(name) + ")"};
  if (xml.size() > most_bytes) return Failure{"", "is longer than 4 MiB"};
  // Each tag becomes a node of 70 bytes or so: a small body could ask for a lot of memory.
  if (static_cast<std::size_t>(std::count(xml.begin(), xml.end(), '<')) > most_tags) return failure;
  // pugixml knows the five entities of XML itself and no others; a DOCTYPE is skipped.
  const auto parsed = document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) return failure;
  const pugi::xml_node root = document.document_element();
  if (local_name(root) != name) return failure;
  return root;
}

/// encoding-type=url: %XX, and '+' for a blank (a '+' itself is %2B).
std::string url_decoded(std::string_view coded) {
  std::string plain;
  for (std::size_t at = 0; at < coded.size(); ++at) {
    unsigned byte = 0;
    const auto hex = coded.substr(at + 1, 2);
    const bool escape = coded[at] == '%' && hex.size() == 2 &&
                        std::from_chars(hex.data(), hex.data() + 2, byte, 16).ptr == hex.data() + 2;
    plain += escape ? static_cast<char>(byte) : coded[at] == '+' ? ' ' : coded[at];
    if (escape) at += 2;
  }
  return plain;
}

std::string letters_of(std::string_view etag) {
  std::string letters;
  for (const char each : etag.substr(0, 100)) {
    const bool kept = (each >= '0' && each <= '9') || (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z');
    if (kept || each == '-') letters += each;
  }
  return letters;
}

std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  unsigned value = 0;
  const auto part = text.substr(at, count);
  if (part.size() != count || part.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::from_chars(part.data(), part.data() + part.size(), value);
  return value;
}

}  // namespace

std::optional<Wall> parse_time(std::string_view text) {
  if (text.size() < 20 || text.size() > 40 || text[4] != '-' || text[7] != '-' || text[10] != 'T') return std::nullopt;
  if (text[13] != ':' || text[16] != ':' || text.back() != 'Z') return std::nullopt;
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  const bool fits = date.ok() && *year >= 1970 && *year < 2200 && *hour < 24 && *minute < 60 && *second <= 60;
  if (!fits) return std::nullopt;
  return Wall(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(*hour) +
              std::chrono::minutes(*minute) + std::chrono::seconds(*second));
}

Result<Page> parse_list(std::string_view xml) {
  pugi::xml_document document;
  const auto root = parse_root(document, xml, "ListBucketResult");
  if (!root) return root.failure();
  const bool coded = text(*root, "EncodingType") == "url";
  Page page;
  for (const pugi::xml_node& node : root->children()) {
    if (local_name(node) != "Contents") continue;
    Object object;
    object.key = text(node, "Key");
    if (coded) object.key = url_decoded(object.key);
    object.etag = letters_of(text(node, "ETag"));
    const auto size = parse_number(text(node, "Size"));
    const auto modified = parse_time(text(node, "LastModified"));
    if (object.key.empty() || !size || !modified) return Failure{"", "lists an object without key, size or time"};
    if (page.objects.size() == most_objects) return Failure{"", "lists more objects than were asked for"};
    object.size = std::clamp(*size, 0.0, largest_object);
    object.modified = *modified;
    page.objects.push_back(std::move(object));
  }
  if (text(*root, "IsTruncated") == "true") {
    page.next = text(*root, "NextContinuationToken");
    if (page.next.empty()) return Failure{"", "breaks off and does not say where to go on"};
  }
  return page;
}

Result<std::string> parse_versioning(std::string_view xml) {
  pugi::xml_document document;
  const auto root = parse_root(document, xml, "VersioningConfiguration");
  if (!root) return root.failure();
  return text(*root, "Status");
}

std::optional<Error> parse_error(std::string_view xml) {
  pugi::xml_document document;
  const auto root = parse_root(document, xml, "Error");
  if (!root) return std::nullopt;
  return Error{.code = text(*root, "Code"), .message = text(*root, "Message"), .region = text(*root, "Region")};
}

}  // namespace vitald::wire::s3
