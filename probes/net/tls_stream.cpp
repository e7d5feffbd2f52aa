#include "probes/net/tls_stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cerrno>
#include <limits>
#include <optional>
#include <utility>

#include "probes/failure.hpp"
#include "probes/net/tls_verify.hpp"

namespace vitald::net {
namespace {

struct FreeSsl {
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};

/// What OpenSSL's side of the socket has to remember between calls.
struct Wire {
  explicit Wire(std::unique_ptr<Socket> socket_) : socket(std::move(socket_)) {}
  std::unique_ptr<Socket> socket;
  bool ended = false;
  int error = 0;
};

Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int note(Wire& wire, BIO* bio, ssize_t count, int retry) {
  BIO_clear_retry_flags(bio);
  if (count >= 0) return static_cast<int>(count);
  if (errno == EAGAIN)
    BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
  else
    wire.error = errno;
  return -1;
}

int read_wire(BIO* bio, char* into, int size) {
  auto& wire = wire_of(bio);
  const auto count = wire.socket->receive(into, static_cast<std::size_t>(size));
  wire.ended = count == 0;
  return note(wire, bio, count, BIO_FLAGS_READ);
}

int write_wire(BIO* bio, const char* from, int size) {
  auto& wire = wire_of(bio);
  return note(wire, bio, wire.socket->send(from, static_cast<std::size_t>(size)), BIO_FLAGS_WRITE);
}

long control_wire(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return wire_of(bio).ended ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/// OpenSSL's own socket BIO calls write(2), which raises SIGPIPE, and knows nothing of our readiness.
const BIO_METHOD* wire_method() {
  static const BIO_METHOD* const method = [] {
    auto* made = BIO_meth_new(BIO_TYPE_DESCRIPTOR | BIO_get_new_index(), "socket");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_read(made, &read_wire);
    BIO_meth_set_write(made, &write_wire);
    BIO_meth_set_ctrl(made, &control_wire);
    return made;
  }();
  return method;
}

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Socket> socket, std::string peer, TlsContext context, Verification verification)
      : wire_(std::move(socket)),
        peer_(std::move(peer)),
        verification_(std::move(verification)),
        ssl_(SSL_new(context.get())) {
    auto* bio = BIO_new(wire_method());
    if (!ssl_ || bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, &wire_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    attach(ssl_.get(), verification_);
    SSL_set_connect_state(ssl_.get());
    // Server Name Indication carries names only (RFC 6066 section 3).
    if (!verification_.name.empty() && !numeric_address(verification_.name, 0))
      SSL_set_tlsext_host_name(ssl_.get(), verification_.name.c_str());
  }

  awaitable<void> handshake() {
    for (;;) {
      ERR_clear_error();
      const int done = SSL_do_handshake(ssl_.get());
      if (done == 1) co_return;
      const int why = SSL_get_error(ssl_.get(), done);
      if (why == SSL_ERROR_WANT_READ)
        co_await wire_.socket->readable();
      else if (why == SSL_ERROR_WANT_WRITE)
        co_await wire_.socket->writable();
      else
        throw handshake_failure();
    }
  }

  awaitable<std::size_t> read_some(std::span<char> into) override {
    for (;;) {
      ERR_clear_error();
      std::size_t count = 0;
      const int done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
      if (done == 1) co_return count;
      const int why = SSL_get_error(ssl_.get(), done);
      if (why == SSL_ERROR_ZERO_RETURN) co_return 0;
      if (why == SSL_ERROR_WANT_READ)
        co_await wire_.socket->readable();
      else if (why == SSL_ERROR_WANT_WRITE)
        co_await wire_.socket->writable();
      else
        throw transfer_failure("read from ");
    }
  }

  awaitable<void> write(std::string_view all) override {
    while (!all.empty()) {
      ERR_clear_error();
      std::size_t count = 0;
      const int done = SSL_write_ex(ssl_.get(), all.data(), all.size(), &count);
      if (done == 1) {
        all.remove_prefix(count);
        continue;
      }
      const int why = SSL_get_error(ssl_.get(), done);
      if (why == SSL_ERROR_WANT_READ)
        co_await wire_.socket->readable();
      else if (why == SSL_ERROR_WANT_WRITE)
        co_await wire_.socket->writable();
      else
        throw transfer_failure("write to ");
    }
  }

  /// Put together when somebody asks: most checks never do.
  const TlsPeer* tls() const override {
    if (shown_) return &*shown_;
    auto& peer = shown_.emplace();
    const auto* chain = SSL_get_peer_cert_chain(ssl_.get());
    for (int at = 0; at < sk_X509_num(chain) && at < most_served; ++at)
      peer.served.push_back(describe(sk_X509_value(chain, at)));
    peer.protocol = SSL_get_version(ssl_.get());
    peer.cipher = SSL_get_cipher_name(ssl_.get());
    peer.verify_code = verification_.code;
    peer.verify_text = X509_verify_cert_error_string(verification_.code);
    peer.name_matches = verification_.name_matches;
    peer.chain_incomplete = verification_.incomplete;
    return &peer;
  }

  const std::string& peer() const override { return peer_; }

 private:
  bool cut_off() const {
    const auto code = ERR_peek_error();
    return wire_.error != 0 || wire_.ended ||
           (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
  }

  /// OpenSSL's words: "sslv3 alert handshake failure", "wrong version number".
  static std::string words() {
    const auto code = ERR_peek_error();
    const char* text = code != 0 ? ERR_reason_error_string(code) : nullptr;
    std::string out = text != nullptr ? text : "unknown error";
    if (code != 0 && ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
      out = "the other side does not speak TLS (" + out + ")";
    return out;
  }

  probes::ProbeFailure handshake_failure() const {
    if (verification_.failure) return *verification_.failure;
    if (cut_off())
      return probes::ProbeFailure(Outcome::refused, "tls_closed",
                                  peer_ + " closed the connection during the TLS handshake");
    return probes::ProbeFailure(Outcome::refused, "tls_handshake",
                                "TLS handshake with " + peer_ + " failed: " + words());
  }

  probes::ProbeFailure transfer_failure(const char* doing) const {
    if (cut_off())
      return probes::ProbeFailure(Outcome::refused, "tls_closed", peer_ + " closed the connection without ending TLS");
    // In TLS 1.3 the server may refuse our certificate only after the handshake, as we see it (RFC 8446
    // section 4.4.2.4).
    return probes::ProbeFailure(Outcome::refused, "tls_handshake", doing + peer_ + " failed: " + words());
  }

  Wire wire_;
  std::string peer_;
  Verification verification_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  mutable std::optional<TlsPeer> shown_;
};

}  // namespace

awaitable<std::unique_ptr<Stream>> make_tls_stream(std::unique_ptr<Socket> socket, std::string peer, TlsContext context,
                                                   const TlsOptions& options, const std::string& host, Wall now) {
  Verification verification;
  verification.name = options.server_name.empty() ? host : options.server_name;
  if (verification.name.size() > 1 && verification.name.back() == '.') verification.name.pop_back();  // "example.com."
  verification.judge = !options.insecure && !options.judge_later;
  verification.private_authority = !options.ca_file.empty();
  verification.now = now;
  auto stream =
      std::make_unique<TlsStream>(std::move(socket), std::move(peer), std::move(context), std::move(verification));
  co_await stream->handshake();
  co_return stream;
}

}  // namespace vitald::net
