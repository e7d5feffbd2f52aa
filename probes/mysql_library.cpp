#include "probes/mysql_library.hpp"

#include <mysql/errmsg.h>

#include <cstdint>
#if defined(MARIADB_PACKAGE_VERSION)
#include <ma_pvio.h>
#else
#include <openssl/x509.h>
#endif

#include "probes/failure.hpp"

#if defined(MARIADB_PACKAGE_VERSION)
// The library exports it for its plugins, and no installed header declares it.
extern "C" int ma_pvio_register_callback(my_bool on, void (*callback)(int mode, MYSQL* handle, const uchar* bytes,
                                                                      std::size_t size));
#endif

namespace vitald::probes::mysql {
namespace {

#if defined(MARIADB_PACKAGE_VERSION)

constexpr const char* listener_key = "vitald";

/// Called by the library after each read (mode 0) and write of each connection; `size` is -1 where that failed.
void heard(int mode, MYSQL* handle, const uchar* bytes, std::size_t size) noexcept {
  if (mode != 0 || handle == nullptr || size == 0 || size > PTRDIFF_MAX) return;
  void* listener = nullptr;
  auto* const key = const_cast<char*>(listener_key);  // only read
  if (mysql_get_optionv(handle, MARIADB_OPT_USERDATA, key, &listener) != 0 || listener == nullptr) return;
  static_cast<Listener*>(listener)->arrived({reinterpret_cast<const char*>(bytes), size});
}

bool hear_all() { return ma_pvio_register_callback(1, heard) == 0; }

#else

bool hear_all() { return true; }

#endif

/// Once in a process, before the first handle: neither library guards all of this against several threads.
bool library_is_ready() {
  static const bool ready = mysql_library_init(0, nullptr, nullptr) == 0 && hear_all();
  return ready;
}

int refuse_file(void** /*state*/, const char* /*path*/, void* /*user*/) { return 1; }
int read_nothing(void* /*state*/, char* /*into*/, unsigned /*size*/) { return -1; }
void end_nothing(void* /*state*/) {}
int say_refused(void* /*state*/, char* into, unsigned size) {
  if (size > 0) into[0] = '\0';
  return CR_UNKNOWN_ERROR;
}

void set_files(MYSQL* handle, const net::TlsOptions& tls) {
  if (!tls.ca_file.empty()) mysql_options(handle, MYSQL_OPT_SSL_CA, tls.ca_file.c_str());
  if (tls.client_certificate.empty()) return;
  mysql_options(handle, MYSQL_OPT_SSL_CERT, tls.client_certificate.c_str());
  mysql_options(handle, MYSQL_OPT_SSL_KEY, tls.client_key.c_str());
}

}  // namespace

LibraryThread::LibraryThread() {
  if (library_is_ready()) mysql_thread_init();
}
LibraryThread::~LibraryThread() { mysql_thread_end(); }

Handle new_handle() {
  Handle handle(library_is_ready() ? mysql_init(nullptr) : nullptr);
  if (!handle) throw ProbeFailure(Outcome::unmeasured, "out_of_memory", "this host is out of memory");
  return handle;
}

void forbid_files(MYSQL* handle) {
  const unsigned off = 0;
  mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_set_local_infile_handler(handle, refuse_file, read_nothing, end_nothing, say_refused, nullptr);
}

void set_largest_packet(MYSQL* handle, unsigned long bytes) {
  mysql_options(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &bytes);
}

#if defined(MARIADB_PACKAGE_VERSION)

// Both switches are needed: without the first nothing is encrypted, without the second a server that does not speak TLS
// is talked to in the clear (facts of Connector/C 3.3). From 3.4 on the second is on unless it is switched off.
void set_tls(MYSQL* handle, const std::optional<net::TlsOptions>& tls) {
  const my_bool encrypt = tls ? 1 : 0;
  const my_bool verify = tls && !tls->insecure ? 1 : 0;
  mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &encrypt);
  mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (tls) set_files(handle, *tls);
}

// The library takes any plugin that the server names; mysql_clear_password and dialog send the password as it is.
void restrict_logins(MYSQL* handle, bool server_is_verified) {
  if (server_is_verified) return;
  mysql_optionsv(handle, MARIADB_OPT_RESTRICTED_AUTH, "mysql_native_password,client_ed25519,caching_sha2_password");
}

void set_listener(MYSQL* handle, Listener& listener) {
  mysql_optionsv(handle, MARIADB_OPT_USERDATA, listener_key, &listener);
}

bool has_unread(MYSQL* handle) {
  const MARIADB_PVIO* pvio = handle->net.pvio;
  return pvio != nullptr && pvio->cache != nullptr && pvio->cache + pvio->cache_size > pvio->cache_pos;
}

int descriptor_of(MYSQL* handle) { return mysql_get_socket(handle); }

bool is_forbidden_login(unsigned code) { return code == CR_PLUGIN_NOT_ALLOWED; }

#else

void set_tls(MYSQL* handle, const std::optional<net::TlsOptions>& tls) {
  unsigned mode = SSL_MODE_DISABLED;
  if (tls) mode = tls->insecure ? SSL_MODE_REQUIRED : SSL_MODE_VERIFY_IDENTITY;
  mysql_options(handle, MYSQL_OPT_SSL_MODE, &mode);
  if (!tls) return;
  set_files(handle, *tls);
  // It does not know of the system's authorities by itself.
  if (tls->ca_file.empty()) mysql_options(handle, MYSQL_OPT_SSL_CAPATH, X509_get_default_cert_dir());
}

// A password in the clear has to be asked for here, and so does a key to encrypt it with that the server itself sends.
void restrict_logins(MYSQL* handle, bool server_is_verified) {
  bool in_the_clear = server_is_verified;
  mysql_options(handle, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &in_the_clear);
}

void set_listener(MYSQL*, Listener&) {}

bool has_unread(MYSQL*) { return false; }

int descriptor_of(MYSQL* handle) { return handle->net.fd; }

bool is_forbidden_login(unsigned) { return false; }

#endif

}  // namespace vitald::probes::mysql
