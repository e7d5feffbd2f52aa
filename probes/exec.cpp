#include "probes/exec.hpp"

#include <algorithm>

#include "config/shown.hpp"
#include "probes/authorization.hpp"
#include "probes/foreign_text.hpp"
#include "probes/helper.hpp"

namespace vitald::probes::exec {
namespace {

constexpr std::size_t most_arguments = 256;
constexpr std::size_t longest_argument = 16 * 1024, longest_command = 64 * 1024;
constexpr std::size_t most_variables = 64;
constexpr std::size_t shortest_secret = 4;  // a shorter one would blacken the output for nothing

/// A program's absolute path and its arguments.
struct Command {
  using value_type = std::vector<std::string>;
  config::ListOf<config::Text> words{
      .kind = {.longest = longest_argument, .may_be_empty = true}, .single = false, .most = most_arguments};
  std::string type_name() const { return words.type_name(); }
  std::string schema() const { return words.schema(); }
  Result<value_type> read(const config::Node& node, config::Problems& problems) const {
    auto command = words.read(node, problems);
    if (!command) return command;
    if (command->empty()) return Failure{"", "expected a program and its arguments, found an empty list"};
    if (!command->front().starts_with('/'))
      return Failure{"", "expected a program's absolute path first, such as /usr/lib/nagios/plugins/check_load" +
                             config::but_found(command->front())};
    std::size_t size = 0;
    for (const std::string& each : *command) size += each.size();
    if (size > longest_command)
      return Failure{"", "has more than " + std::to_string(longest_command) + " bytes in all"};
    return command;
  }
  value_type dummy() const { return {}; }
  std::string show(const value_type& value) const { return words.show(value); }
};

/// The values of a mapping of variables, in file order: text, or where a secret is (config::SecretText). The names come
/// from Reader::keys_below().
struct VariableValues {
  using value_type = std::vector<Secret>;  // which the Reader notes, to be loaded
  std::string type_name() const { return "mapping of name to text or secret"; }
  std::string schema() const {
    return R"({"type":"object","propertyNames":{"pattern":"^[A-Za-z_][A-Za-z0-9_]*$"},"maxProperties":)" +
           std::to_string(most_variables) + R"(,"additionalProperties":{"anyOf":[{"type":"boolean"},{"const":""},)" +
           config::SecretText{}.schema() + "]}}";
  }
  Result<value_type> read(const config::Node& node, config::Problems& problems) const {
    if (node.kind != config::Node::Kind::mapping)
      return Failure{"", "expected a mapping of names to text, found " + std::string(node.kind_name())};
    if (node.members.size() > most_variables)
      return Failure{"", "has more than " + std::to_string(most_variables) + " entries"};
    value_type values;
    for (const auto& [name, at, value] : node.members) {
      if (!is_variable(name)) {
        problems.error(at, "'" + config::shown(name) + "': expected the name of a variable, of letters, digits and _");
      } else if (value.kind == config::Node::Kind::scalar) {
        if (value.scalar.find('\0') != std::string::npos)
          problems.error(value.at, "'" + name + "': a zero byte is not possible here");
        values.emplace_back(Secret::Source::plain, value.scalar);
      } else {
        config::Problems own;
        auto secret = config::SecretText{}.read(value, own);
        if (!secret && !own.any_error()) own.error(value.at, "'" + name + "': " + secret.failure().what);
        if (secret) values.push_back(std::move(*secret));
        problems.append(own);
      }
    }
    if (problems.any_error()) return Failure{"", "has wrong entries"};
    return values;
  }
  value_type dummy() const { return {}; }
  std::string show(const value_type&) const { return "{}"; }

 private:
  static bool is_variable(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !name.empty() && letter(name[0]) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
  }
};

/// All that a program finds besides what the check gives it.
const std::vector<std::pair<std::string, std::string>>& clean_environment() {
  static const std::vector<std::pair<std::string, std::string>> variables = {
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"LANG", "C.UTF-8"},
  };
  return variables;
}

/// The margin lets the helper answer with what the program wrote until then, before the runner ends the run.
Duration patience_of(const ProbeContext& context) {
  const Duration left = context.deadline - context.clock.now().steady;
  return left - std::min<Duration>(left / 10, std::chrono::milliseconds(250));
}

void mask(std::string& text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) {
      text.replace(at, secret.size(), "***");
    }
  }
}

/// A program that complains about a password repeats it.
void mask(ProgramEnd& end, const std::vector<std::string>& secrets) {
  for (Captured* captured : {&end.out, &end.err}) {
    mask(captured->head, secrets);
    mask(captured->tail, secrets);
  }
}

}  // namespace

bool is_own_sample(std::string_view name) {
  return name == duration_sample.name ||
         std::any_of(samples.begin(), samples.end(), [&](const SampleSpec& row) { return row.name == name; });
}

Config parse(config::Reader& in) {
  Config config;
  config.command =
      in.required("command", Command{}, "The program's absolute path and its arguments; no shell reads them");
  auto values = in.optional("environment", VariableValues{}, {},
                            "Variables for it, besides PATH and LANG; nothing else is inherited");
  const auto names = in.keys_below("environment");
  for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i)
    config.environment.emplace_back(names[i], std::move(values[i]));
  config.working_directory = in.optional("working_directory", config::Text{}, "/", "The folder that it works in");
  config.nagios = in.optional("nagios", config::Boolean{}, true,
                              "It is a Nagios plug-in: 0 ok, 1 warning, 2 critical, 3 unknown, figures after a bar. "
                              "Otherwise everything but 0 is critical");
  config.kill_after = in.optional("kill_after", config::Length{Duration::zero(), std::chrono::seconds(30)},
                                  std::chrono::seconds(2), "How long after SIGTERM, when its time is up, it is killed");
  if (in.has("limits")) config.limited = in.keys_below("limits");
  if (!config.working_directory.starts_with('/'))
    in.problem("working_directory",
               "expected an absolute path, found '" + foreign_text(config.working_directory) + "'");
  if (!config.nagios) {
    for (const std::string& name : config.limited) {
      if (!is_own_sample(name)) in.problem("limits", "'" + name + "': with 'nagios: false' a program gives no figures");
    }
  }
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  ProgramStart start{.arguments = config.command,
                     .environment = clean_environment(),
                     .working_directory = config.working_directory,
                     .kill_after = config.kill_after};
  std::vector<std::string> secrets;
  for (const auto& [name, secret] : config.environment) {
    std::string value = reveal(secret);
    if (secret.source() != Secret::Source::plain && value.size() >= shortest_secret) secrets.push_back(value);
    const auto same = [&](const auto& variable) { return variable.first == name; };
    std::erase_if(start.environment, same);
    start.environment.emplace_back(name, std::move(value));
  }
  Facts facts;
  facts.patience = context.deadline - context.started.steady;
  const Duration patience = patience_of(context);
  context.phases.begin("program");
  auto end = co_await context.helper.run_program(std::move(start), patience);
  context.phases.mark("program");
  mask(end, secrets);
  facts.end = std::move(end);
  co_return facts;
}

}  // namespace vitald::probes::exec
