// libmysqlclient itself: how it is begun, and the few things that MariaDB Connector/C and Oracle's library want said
// differently. No other file knows which of the two it is built with.
#pragma once

#include <mysql/mysql.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "probes/net/network.hpp"

namespace vitald::probes::mysql {

/// A thread that talks through the library has one of these while it does.
class LibraryThread {
 public:
  LibraryThread();
  LibraryThread(const LibraryThread&) = delete;
  LibraryThread& operator=(const LibraryThread&) = delete;
  ~LibraryThread();
};

struct CloseHandle {
  void operator()(MYSQL* handle) const { mysql_close(handle); }
};
using Handle = std::unique_ptr<MYSQL, CloseHandle>;

/// A handle without a connection. Throws ProbeFailure(unmeasured) when there is no memory for it.
Handle new_handle();

/// No TLS, or TLS and nothing else: verified (chain and name) unless it is insecure.
void set_tls(MYSQL* handle, const std::optional<net::TlsOptions>& tls);
/// Which ways of logging in the server may ask for: those that show it the password only where it proved who it is.
void restrict_logins(MYSQL* handle, bool server_is_verified);
/// Makes it impossible for a server to ask for a file, whatever the library's defaults are.
void forbid_files(MYSQL* handle);
/// The longest packet that is taken from a server.
void set_largest_packet(MYSQL* handle, unsigned long bytes);
/// `arrived` hears of all that a server sends, before the library looks at it. Oracle's library has nothing of the
/// kind.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void arrived(std::string_view bytes) = 0;
};
/// The listener has to outlive the handle.
void set_listener(MYSQL* handle, Listener& listener);
/// Whether the server has sent something that the library has not looked at yet.
bool has_unread(MYSQL* handle);
/// The socket of a connection; -1 where there is none.
int descriptor_of(MYSQL* handle);
/// CR_PLUGIN_NOT_ALLOWED, or a number that nothing has.
bool is_forbidden_login(unsigned code);

}  // namespace vitald::probes::mysql
