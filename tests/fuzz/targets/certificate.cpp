// Certificates in files: PEM, DER and OpenSSH's.
#include "probes/expiry_certificate.hpp"
#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {

void certificate(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return;
  const auto validity = probes::expiry::read_validity({reinterpret_cast<const char*>(data), size});
  if (!validity) {
    must(!validity.failure().what.empty(), "a reason");
    return;
  }
  must(!validity->end || *validity->end >= Wall{}, "an end since 1970");
  must(validity->subject.size() <= 100, "a bounded subject");
}

}  // namespace vitald::fuzz
