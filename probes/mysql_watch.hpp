// Looks at what a server sends before libmysqlclient does. The library believes a server: it makes room for as many
// columns as it announces, keeps on reading as long as it sends, and goes on without TLS where nobody is verified. So
// the packets are walked through here as they come in, and the connection is ended before the library acts on one of
// that sort.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vitald::probes::mysql {

class Watch {
 public:
  enum class Fault {
    none,
    no_tls,          // the greeting does not offer it, and it was wanted
    too_much,        // more bytes, a longer packet or more columns than are taken
    asked_for_file,  // LOAD DATA LOCAL: the server wants a file of this host
    spoke_unasked,   // said more than the answer
  };

  explicit Watch(bool wants_tls) : wants_tls_(wants_tls) {}

  /// An answer of at most `most` bytes comes next.
  void expect_answer(std::size_t most);
  /// What came, in order; says what is wrong with it, once something is.
  Fault see(std::string_view bytes);
  void blame(Fault fault) { fault_ = fault; }

  Fault fault() const { return fault_; }
  /// Since the login or the last question began.
  std::size_t received() const { return received_; }

 private:
  enum class Part { greeting, login, head, rest };

  void begin_packet(std::size_t length);
  void see_payload(std::string_view payload, bool last);
  void check_greeting(bool whole);

  bool wants_tls_;
  Fault fault_ = Fault::none;
  Part part_ = Part::greeting;
  std::size_t received_ = 0;
  std::size_t most_ = 1 << 20;  // a login is far smaller
  std::string header_;          // of the packet that begins, up to four bytes
  std::size_t left_ = 0;        // of the payload of the packet
  bool first_ = false;          // the next byte is the payload's first
  std::string greeting_;
};

}  // namespace vitald::probes::mysql
