// Kinds of probe and receiver for tests of the loader, and a way to load a text.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "daemon/configuration_parts.hpp"
#include "tests/config/scratch.hpp"

namespace vitald::test {

struct FakeProbe final : probes::Probe {
  explicit FakeProbe(std::string url_) : url(std::move(url_)) {}
  probes::awaitable<Observation> run(probes::ProbeContext&) const override { co_return Observation{}; }
  std::string target() const override { return url; }
  std::string url;
  Secret password;
};

struct FakeNotifier final : alerting::Notifier {
  Secret key;
  Result<std::vector<alerting::Delivery>> render(const alerting::Notification&, const alerting::Handle&,
                                                 alerting::Form) const override {
    return std::vector<alerting::Delivery>{};
  }
  alerting::Judgement judge(const alerting::HttpReply&, const Now&) const override { return {}; }
};

inline std::unique_ptr<const probes::Probe> make_web(config::Reader& in) {
  auto probe = std::make_unique<FakeProbe>(in.required("url", config::Text{}, "Address to fetch"));
  probe->password = in.maybe("password", config::SecretText{}, "Secret").value_or(Secret{});
  in.optional("port", config::Integer{1, 65535}, 80, "Port");
  in.object("expect", "What the answer must look like", [](config::Reader& expect) {
    expect.optional("status", config::Integer{100, 599}, 200, "Status code");
  });
  return probe;
}

inline std::unique_ptr<const probes::Probe> make_room(config::Reader& in) {
  return std::make_unique<FakeProbe>(in.optional("mount", config::Text{}, "/", "Mount point"));
}

inline std::unique_ptr<const alerting::Notifier> make_chat(config::Reader& in) {
  auto notifier = std::make_unique<FakeNotifier>();
  notifier->key = in.required("webhook", config::SecretText{}, "Address with its secret");
  return notifier;
}

inline std::unique_ptr<const alerting::Notifier> make_console(config::Reader&) {
  return std::make_unique<FakeNotifier>();
}

inline constexpr std::array room_samples = {
    SampleSpec{"used", SampleKind::gauge, Unit::ratio, "Share in use", false, false},
    SampleSpec{"free", SampleKind::gauge, Unit::bytes, "Free", true, true},
};
inline constexpr std::array web_samples = {
    SampleSpec{"restarts", SampleKind::counter, Unit::none, "Restarts", false, false},
};
inline constexpr std::array fake_probes = {
    probes::ProbeKind{"web", "Fetches", web_samples, "", false, make_web},
    probes::ProbeKind{"room", "Measures", room_samples, "used: { warning: 80%, critical: 90% }", false, make_room},
};
inline constexpr std::array fake_notifiers = {
    alerting::NotifierKind{"chat", "Chat", make_chat},
    alerting::NotifierKind{"console", "Console", make_console},
};
inline const daemon::Tables fakes{fake_probes, fake_notifiers};
inline const daemon::Surroundings ordinary_host{"web-1", false};

struct LoadedText {
  std::optional<daemon::Configuration> configuration;
  std::string said;  // without the folder
};

inline LoadedText load_text(std::string_view text, daemon::Secrets secrets = daemon::Secrets::leave,
                            const daemon::Surroundings& surroundings = ordinary_host) {
  const Scratch scratch;
  auto loaded = daemon::load_configuration(scratch.write("t.yaml", text), secrets, fakes, surroundings);
  std::string said = config::render_problems(loaded.problems);
  const std::string folder = scratch.path().string() + "/";
  for (auto at = said.find(folder); at != std::string::npos; at = said.find(folder)) said.erase(at, folder.size());
  return {std::move(loaded.configuration), std::move(said)};
}

}  // namespace vitald::test
