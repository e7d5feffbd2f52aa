// What a bucket's server answers, as XML.
#include "probes/wire/s3.hpp"

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {

void s3(const std::uint8_t* data, std::size_t size) {
  if (size > 256 * 1024) return;
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  const auto page = wire::s3::parse_list(xml);
  if (page) {
    for (const auto& object : page->objects) {
      must(!object.key.empty() && object.key.size() <= size, "a key that stood there");
      must(object.size >= 0 && object.size <= 1e15, "a size that a bucket can hold");
      must(object.modified >= Wall{}, "a time since 1970");
      must(object.etag.find(' ') == std::string::npos, "an identity without blanks");
    }
    must(!wire::s3::parse_versioning(xml) && !wire::s3::parse_error(xml), "one answer is of one kind");
  }
  static_cast<void>(wire::s3::parse_versioning(xml));
  static_cast<void>(wire::s3::parse_error(xml));
}

}  // namespace vitald::fuzz
