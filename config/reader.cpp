#include "config/reader.hpp"

#include <algorithm>

#include "config/ascii.hpp"
#include "config/schema.hpp"
#include "config/shown.hpp"

namespace vitald::config {
namespace {

/// Optimal string alignment: an insertion, a deletion, another letter, or two neighbours the wrong way round count 1.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_back(b.size() + 1), back(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) back[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = ascii_lower(a[i - 1]) == ascii_lower(b[j - 1]);
      row[j] = std::min({back[j] + 1, row[j - 1] + 1, back[j - 1] + (same ? 0u : 1u)});
      if (i > 1 && j > 1 && ascii_lower(a[i - 1]) == ascii_lower(b[j - 2]) &&
          ascii_lower(a[i - 2]) == ascii_lower(b[j - 1])) {
        row[j] = std::min(row[j], two_back[j - 2] + 1);
      }
    }
    std::swap(two_back, back);
    std::swap(back, row);
  }
  return back[b.size()];
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > 64) return "";
  const std::size_t most = std::clamp<std::size_t>(word.size() / 3, 1, 2);
  std::string best;
  std::size_t best_distance = most + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > word.size() + most || word.size() > candidate.size() + most) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

struct Reader::State {
  struct Missing {
    std::string key, help;
  };

  const Node* node = nullptr;  // nullptr: describes
  std::string where;
  Problems* problems = nullptr;
  std::vector<std::string> asked;
  std::vector<Missing> missing;
  std::vector<Option> options;
  std::vector<FoundSecret> secrets;
};

Reader::Reader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;

Reader::Reader(const Node& node, std::string where, Problems& problems) : state_(std::make_unique<State>()) {
  state_->node = &node;
  state_->where = std::move(where);
  state_->problems = &problems;
  if (node.kind != Node::Kind::mapping && node.kind != Node::Kind::null) {
    problems.error(node.at, state_->where + ": expected a mapping, found " + std::string(node.kind_name()));
  }
}

Reader Reader::describing() { return Reader(std::make_unique<State>()); }

bool Reader::describes() const { return state_->node == nullptr; }

bool Reader::has(std::string_view key) const { return !describes() && state_->node->find(key) != nullptr; }

std::vector<std::string> Reader::keys_below(std::string_view key) const {
  std::vector<std::string> keys;
  const Node* node = describes() ? nullptr : state_->node->find(key);
  if (node == nullptr) return keys;
  for (const Node::Member& member : node->members) keys.push_back(member.key);
  return keys;
}

const std::string& Reader::where() const { return state_->where; }

const std::vector<Option>& Reader::options() const { return state_->options; }

const std::vector<FoundSecret>& Reader::secrets() const { return state_->secrets; }

Position Reader::position(std::string_view key) const {
  if (describes()) return {};
  const Node* node = state_->node->find(key);
  return node == nullptr ? state_->node->at : node->at;
}

void Reader::problem(std::string_view key, std::string what) {
  if (!describes()) state_->problems->error(position(key), std::move(what));
}

void Reader::warn(std::string_view key, std::string what) {
  if (!describes()) state_->problems->warn(position(key), std::move(what));
}

void Reader::note(std::string_view key, std::string type, std::string schema, std::string_view help,
                  std::string fallback, bool required) {
  state_->options.push_back(
      {std::string(key), std::move(type), std::move(schema), std::string(help), std::move(fallback), required, {}});
}

const Node* Reader::take(std::string_view key, std::string_view help, bool required) {
  if (describes()) return nullptr;
  state_->asked.emplace_back(key);
  const Node* node = state_->node->find(key);
  if (node == nullptr && required) state_->missing.push_back({std::string(key), std::string(help)});
  return node;
}

void Reader::reject(const Node& node, std::string_view key, const Failure& failure) {
  state_->problems->error(node.at, "'" + std::string(key) + "': " + failure.what);
}

void Reader::collect(const Problems& found) { state_->problems->append(found); }

void Reader::remember(const Node& node, const Secret& secret) { state_->secrets.push_back({node.at, secret}); }

bool Reader::object(std::string_view key, std::string_view help, const std::function<void(Reader&)>& parse) {
  if (describes()) {
    Reader nested = describing();
    parse(nested);
    note(key, "mapping", object_schema(nested.options()), help, "", false);
    state_->options.back().nested = nested.options();
    return false;
  }
  const Node* node = take(key, help, false);
  if (node == nullptr) return false;
  Reader nested(*node, state_->where + ", " + std::string(key), *state_->problems);
  parse(nested);
  nested.finish();
  state_->secrets.insert(state_->secrets.end(), nested.secrets().begin(), nested.secrets().end());
  return true;
}

void Reader::objects(std::string_view key, std::string_view help, const std::function<void(Reader&)>& parse) {
  if (describes()) {
    Reader nested = describing();
    parse(nested);
    note(key, "list of mappings", R"({"type":"array","items":)" + object_schema(nested.options()) + "}", help, "",
         false);
    state_->options.back().nested = nested.options();
    return;
  }
  const Node* node = take(key, help, false);
  if (node == nullptr) return;
  if (node->kind != Node::Kind::sequence) {
    reject(*node, key, {"", "expected a list of mappings, found " + std::string(node->kind_name())});
    return;
  }
  for (const Node& item : node->items) {
    Reader nested(item, state_->where + ", " + std::string(key), *state_->problems);
    parse(nested);
    nested.finish();
    state_->secrets.insert(state_->secrets.end(), nested.secrets().begin(), nested.secrets().end());
  }
}

void Reader::finish() {
  if (describes()) return;
  std::vector<std::string> absent;
  for (const std::string& key : state_->asked) {
    if (state_->node->find(key) == nullptr) absent.push_back(key);
  }
  for (const Node::Member& member : state_->node->members) {
    if (std::find(state_->asked.begin(), state_->asked.end(), member.key) != state_->asked.end()) continue;
    std::string what = "unknown key '" + shown(member.key) + "' in " + state_->where;
    if (const std::string close = suggestion(member.key, absent); !close.empty()) {
      what += "; did you mean '" + close + "'?";
      // A misspelt key is one mistake, not one too many and one too few.
      std::erase_if(state_->missing, [&](const State::Missing& missing) { return missing.key == close; });
    } else if (state_->asked.size() <= 12) {
      what += "; possible are: " + joined(state_->asked);
    }
    state_->problems->error(member.at, std::move(what));
  }
  if (state_->node->kind != Node::Kind::mapping && state_->node->kind != Node::Kind::null) return;
  for (const auto& [key, help] : state_->missing) {
    state_->problems->error(state_->node->at, state_->where + " needs '" + key + "': " + help);
  }
}

}  // namespace vitald::config
