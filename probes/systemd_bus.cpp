#include "probes/systemd_bus.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/sql/conversation.hpp"

namespace vitald::probes::systemd {
namespace {

constexpr const char* service = "org.freedesktop.systemd1";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* manager = "org.freedesktop.systemd1.Manager";
constexpr std::size_t most_properties = 2000;  // a service has some 300
constexpr std::size_t longest_text = 1024;

constexpr const char* no_bus_remedy =
    "vitald asks systemd over D-Bus: run: apt-get install dbus; where systemd does not run, as in most containers, "
    "leave "
    "this check out";

ProbeFailure connect_failure(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) {
    return unmeasured("bus_missing", "there is no D-Bus system bus at " + path, no_bus_remedy);
  }
  if (error == ECONNREFUSED || error == EAGAIN) {
    return unmeasured("bus_down", "the D-Bus system bus at " + path + " takes no connections",
                      "run: systemctl status dbus");
  }
  return failure_from(std::error_code(error, std::generic_category()), "connect to " + path);
}

/// Not blocking, as connect(2) to a full queue would.
int connected_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw connect_failure(path, ENOENT);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) throw connect_failure(path, errno);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
  const int error = errno;
  ::close(socket);
  throw connect_failure(path, error);
}

ProbeFailure call_failure(const sd_bus_error& error, int result) {
  const std::string_view name = error.name == nullptr ? "" : error.name;
  const std::string words = foreign_text(error.message != nullptr ? error.message : std::strerror(-result), 200);
  if (name == SD_BUS_ERROR_SERVICE_UNKNOWN || name == SD_BUS_ERROR_NAME_HAS_NO_OWNER) {
    return unmeasured("systemd_missing", "systemd is not on the D-Bus system bus", no_bus_remedy);
  }
  if (name == SD_BUS_ERROR_ACCESS_DENIED) {
    return unmeasured("denied:org.freedesktop.systemd1", "the bus does not let vitald ask systemd: " + words,
                      "see the policies in /etc/dbus-1/system.d");
  }
  if (name == SD_BUS_ERROR_NO_REPLY || name == SD_BUS_ERROR_TIMEOUT || result == -ETIMEDOUT) {
    return refused("timeout", "systemd did not answer over D-Bus in time", "run: systemctl status");
  }
  return unmeasured("bus_error", "asking systemd over D-Bus failed: " + words);
}

/// Whatever sd-bus returns below zero while a message is written or read.
int sound(int result) {
  if (result < 0) throw call_failure(SD_BUS_ERROR_NULL, result);
  return result;
}

std::string read_text(sd_bus_message* from, char type) {
  const char* text = nullptr;
  sound(sd_bus_message_read_basic(from, type, static_cast<void*>(&text)));
  return std::string(std::string_view(text == nullptr ? "" : text).substr(0, longest_text));
}

template <class Number>
std::uint64_t read_number(sd_bus_message* from, char type) {
  Number value{};
  sound(sd_bus_message_read_basic(from, type, &value));
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
}

std::uint64_t read_number(sd_bus_message* from, char type) {
  switch (type) {
    case 'b':
    case 'i':
      return read_number<std::int32_t>(from, type);
    case 'u':
      return read_number<std::uint32_t>(from, type);
    default:
      return read_number<std::uint64_t>(from, type);
  }
}

/// The texts that begin each structure of a list such as TimersMonotonic, a(stt): "OnBootUSec OnUnitActiveUSec".
std::string read_heads(sd_bus_message* from, const std::string& structure) {
  const std::string members = structure.substr(1, structure.size() - 2);
  std::string heads;
  sound(sd_bus_message_enter_container(from, 'a', structure.c_str()));
  while (sound(sd_bus_message_enter_container(from, 'r', members.c_str())) > 0) {
    const std::string head = read_text(from, 's');
    if (heads.size() < longest_text) heads += (heads.empty() ? "" : " ") + head;
    sound(sd_bus_message_skip(from, members.c_str() + 1));
    sound(sd_bus_message_exit_container(from));
  }
  sound(sd_bus_message_exit_container(from));
  return heads;
}

void read_value(sd_bus_message* from, const std::string& name, Properties& into) {
  char type = 0;
  const char* contents = nullptr;
  sound(sd_bus_message_peek_type(from, &type, &contents));
  const std::string shape = contents == nullptr ? "" : contents;
  const bool number = shape.size() == 1 && std::string_view("biuxt").find(shape) != std::string_view::npos;
  const bool listed = shape == "a(stt)" || shape == "a(sst)";  // the times of a timer
  const bool pair = shape == "(ss)";                           // LoadError: a name and a sentence
  if (type != 'v' || !(number || listed || pair || shape == "s")) {
    sound(sd_bus_message_skip(from, "v"));
    return;
  }
  sound(sd_bus_message_enter_container(from, 'v', contents));
  if (number) into.numbers[name] = read_number(from, shape.front());
  if (shape == "s") into.texts[name] = read_text(from, 's');
  if (listed) into.texts[name] = read_heads(from, shape.substr(1));
  if (pair) {
    sound(sd_bus_message_enter_container(from, 'r', "ss"));
    read_text(from, 's');
    into.texts[name] = read_text(from, 's');
    sound(sd_bus_message_exit_container(from));
  }
  sound(sd_bus_message_exit_container(from));
}

/// As systemd names its objects: what is no letter or digit, or a digit in front, becomes _ and its hexadecimal code.
std::string object_path(const std::string& unit) {
  char* made = nullptr;
  sound(sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &made));
  const std::unique_ptr<char, decltype(&std::free)> owned(made, &std::free);
  return owned.get();
}

void append_texts(sd_bus_message* to, const std::vector<std::string>& texts) {
  sound(sd_bus_message_open_container(to, 'a', "s"));
  for (const std::string& text : texts) sound(sd_bus_message_append_basic(to, 's', text.c_str()));
  sound(sd_bus_message_close_container(to));
}

}  // namespace

std::string Properties::text(std::string_view name) const {
  const auto found = texts.find(name);
  return found == texts.end() ? "" : found->second;
}

std::uint64_t Properties::number(std::string_view name) const {
  const auto found = numbers.find(name);
  return found == numbers.end() ? 0 : found->second;
}

void Bus::Closer::operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
void Bus::Freer::operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }

Bus::Bus(const std::string& path, sql::Talk& talk) : talk_(talk) {
  talk_.begin("connect");
  const int socket = connected_socket(path);
  sd_bus* made = nullptr;
  const int result = sd_bus_new(&made);
  bus_.reset(made);
  if (result < 0 || sd_bus_set_fd(made, socket, socket) < 0) {
    ::close(socket);
    throw call_failure(SD_BUS_ERROR_NULL, -ENOMEM);
  }
  talk_.use(socket);  // the bus's from here on; the talk may end it
  try {
    sound(sd_bus_set_bus_client(made, 1));
    sound(sd_bus_start(made));
  } catch (const ProbeFailure&) {
    talk_.use(-1);
    throw;
  }
  talk_.end();
  talk_.begin("first_byte");
}

Bus::~Bus() {
  talk_.use(-1);
  talk_.end();
}

Bus::Message Bus::question(const char* path, const char* interface, const char* member) {
  sd_bus_message* made = nullptr;
  sound(sd_bus_message_new_method_call(bus_.get(), &made, service, path, interface, member));
  Message call(made);
  sound(sd_bus_message_set_auto_start(made, 0));  // a question starts nothing
  return call;
}

Bus::Message Bus::ask(const Message& call) {
  const auto patience = std::chrono::duration_cast<std::chrono::microseconds>(talk_.left()).count();
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = nullptr;
  const int result = sd_bus_call(bus_.get(), call.get(), static_cast<std::uint64_t>(patience), &error, &reply);
  if (result < 0) {
    const ProbeFailure failure = call_failure(error, result);
    sd_bus_error_free(&error);
    throw failure;
  }
  return Message(reply);
}

std::vector<std::string> Bus::list(const std::vector<std::string>& states, const std::vector<std::string>& patterns,
                                   std::size_t most) {
  const Message call = question(manager_path, manager, "ListUnitsByPatterns");
  append_texts(call.get(), states);
  append_texts(call.get(), patterns);
  const Message reply = ask(call);
  std::vector<std::string> names;
  sound(sd_bus_message_enter_container(reply.get(), 'a', "(ssssssouso)"));
  while (names.size() < most && sound(sd_bus_message_enter_container(reply.get(), 'r', "ssssssouso")) > 0) {
    names.push_back(read_text(reply.get(), 's'));
    sound(sd_bus_message_skip(reply.get(), "sssssouso"));
    sound(sd_bus_message_exit_container(reply.get()));
  }
  return names;
}

Properties Bus::properties(const std::string& unit) {
  // Asked for a unit that it does not have in memory, systemd loads it. An empty interface means all of them.
  const std::string path = object_path(unit);
  const Message call = question(path.c_str(), "org.freedesktop.DBus.Properties", "GetAll");
  sound(sd_bus_message_append_basic(call.get(), 's', ""));
  const Message reply = ask(call);
  Properties found;
  sound(sd_bus_message_enter_container(reply.get(), 'a', "{sv}"));
  for (std::size_t count = 0; count < most_properties; ++count) {
    if (sound(sd_bus_message_enter_container(reply.get(), 'e', "sv")) == 0) break;
    const std::string name = read_text(reply.get(), 's');
    read_value(reply.get(), name, found);
    sound(sd_bus_message_exit_container(reply.get()));
  }
  return found;
}

}  // namespace vitald::probes::systemd
