// A D-Bus system bus with a systemd on it, both played: answers from tables, on a socket below a test's folder.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "probes/systemd_bus.hpp"

namespace vitald::testing {

/// Prepare the tables, then start(). `fail_member` and `silent_member` name the method that goes wrong.
class FakeBus {
 public:
  explicit FakeBus(const std::string& root) : path_(root + "/run/dbus/system_bus_socket") {}
  FakeBus(const FakeBus&) = delete;
  FakeBus& operator=(const FakeBus&) = delete;
  ~FakeBus() {
    stop_ = true;
    if (listener_ >= 0) ::shutdown(listener_, SHUT_RDWR);  // accept() returns
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) ::close(listener_);
  }

  std::map<std::string, probes::systemd::Properties> units;  // by object path
  std::map<std::string, std::vector<std::string>> listed;    // by the first pattern, or the first state
  std::string fail_member, fail_with, silent_member;
  bool mute = false;  // accepts connections and never says a word

  /// The methods that were called, in order.
  std::vector<std::string> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  void start() {
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path) throw std::runtime_error("the folder's name is too long");
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool bound = ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (!bound || ::listen(listener_, 8) != 0) throw std::runtime_error("cannot listen at " + path_);
    thread_ = std::thread([this] { serve(); });
  }

 private:
  void serve() {
    while (!stop_) {
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      if (mute) {
        char byte = 0;
        while (::read(peer, &byte, 1) > 0) {
        }
        ::close(peer);
      } else {
        converse(peer);
      }
    }
  }

  void converse(int peer) {
    sd_bus* bus = nullptr;
    sd_id128_t id{};
    sd_id128_randomize(&id);
    sd_bus_new(&bus);
    sd_bus_set_fd(bus, peer, peer);
    sd_bus_set_server(bus, 1, id);
    sd_bus_set_anonymous(bus, 1);
    sd_bus_add_filter(bus, nullptr, &FakeBus::handle, this);
    sd_bus_start(bus);
    for (int result = 0; result >= 0 && !stop_;) {
      result = sd_bus_process(bus, nullptr);
      if (result == 0) result = sd_bus_wait(bus, 50'000);
    }
    sd_bus_close_unref(bus);
  }

  static int handle(sd_bus_message* call, void* self, sd_bus_error*) {
    if (sd_bus_message_is_method_call(call, nullptr, nullptr) <= 0) return 0;
    static_cast<FakeBus*>(self)->answer(call);
    return 1;
  }

  void answer(sd_bus_message* call) {
    const std::string member = sd_bus_message_get_member(call);
    note(member);
    if (member == silent_member) return;
    if (member == fail_member) {
      sd_bus_reply_method_errorf(call, fail_with.c_str(), "%s", "the test says no");
    } else if (member == "Hello") {
      sd_bus_reply_method_return(call, "s", ":1.7");
    } else if (member == "ListUnitsByPatterns") {
      answer_list(call);
    } else {
      answer_properties(call);
    }
  }

  void note(const std::string& member) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(member);
  }

  void answer_list(sd_bus_message* call) {
    std::string wanted;
    for (int list = 0; list < 2; ++list) {
      sd_bus_message_enter_container(call, 'a', "s");
      for (const char* text = nullptr; sd_bus_message_read_basic(call, 's', static_cast<void*>(&text)) > 0;)
        wanted += text;
      sd_bus_message_exit_container(call);
    }
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
    for (const std::string& name : listed[wanted]) {
      sd_bus_message_append(reply, "(ssssssouso)", name.c_str(), "about it", "loaded", "active", "running", "", "/unit",
                            std::uint32_t{0}, "", "/");
    }
    send(reply);
  }

  void answer_properties(sd_bus_message* call) {
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "{sv}");
    const auto& unit = units[sd_bus_message_get_path(call)];
    for (const auto& [name, text] : unit.texts) {
      if (name == "LoadError") {
        sd_bus_message_append(reply, "{sv}", name.c_str(), "(ss)", "org.example.Error", text.c_str());
      } else if (name == "TimersMonotonic") {
        sd_bus_message_append(reply, "{sv}", name.c_str(), "a(stt)", 2, text.c_str(), std::uint64_t{1},
                              std::uint64_t{2}, "OnBootUSec", std::uint64_t{3}, std::uint64_t{4});
      } else {
        sd_bus_message_append(reply, "{sv}", name.c_str(), "s", text.c_str());
      }
    }
    for (const auto& [name, value] : unit.numbers) {
      if (name == "ExecMainCode" || name == "ExecMainStatus") {
        sd_bus_message_append(reply, "{sv}", name.c_str(), "i", static_cast<std::int32_t>(value));
      } else if (name == "NRestarts") {
        sd_bus_message_append(reply, "{sv}", name.c_str(), "u", static_cast<std::uint32_t>(value));
      } else {
        sd_bus_message_append(reply, "{sv}", name.c_str(), "t", value);
      }
    }
    // What nobody asked for, in shapes that have to be stepped over.
    sd_bus_message_append(reply, "{sv}", "Wants", "as", 2, "a.service", "b.service");
    sd_bus_message_append(reply, "{sv}", "ExecStart", "a(sasbt)", 1, "/bin/x", 1, "-y", 0, std::uint64_t{9});
    send(reply);
  }

  static void send(sd_bus_message* reply) {
    sd_bus_message_close_container(reply);
    sd_bus_send(nullptr, reply, nullptr);
    sd_bus_message_unref(reply);
  }

  std::string path_;
  std::atomic<bool> stop_ = false;
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
  std::thread thread_;
};

}  // namespace vitald::testing
