// expand_for_each: one check written once, made for each row of a table.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "config/document.hpp"
#include "config/reader.hpp"
#include "config/shown.hpp"

namespace vitald::config {
namespace {

constexpr std::size_t most_checks = 50'000;

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

class Row {
 public:
  Row(const Node& row, Problems& problems) : row_(row), problems_(problems) {}

  /// Everything below `node` with its placeholders filled in.
  void fill(Node& node) const {
    if (node.kind == Node::Kind::scalar) fill_scalar(node);
    for (Node& item : node.items) fill(item);
    for (Node::Member& member : node.members) {
      member.key = fill_text(member.key, member.at);
      fill(member.value);
    }
  }

  std::string fill_text(const std::string& text, const Position& at) const {
    std::string filled;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool doubled = i + 1 < text.size() && text[i + 1] == text[i];
      if (text[i] == '}' && doubled) ++i;
      if (text[i] != '{') {
        filled += text[i];
      } else if (doubled) {
        filled += text[i++];
      } else {
        const std::size_t end = std::min(text.find('}', i), text.size());
        filled += value_of(std::string_view(text).substr(i + 1, end - i - 1), at);
        i = end;
      }
    }
    return filled;
  }

 private:
  void fill_scalar(Node& node) const {
    if (node.scalar.find_first_of("{}") == std::string::npos) return;
    // "{port}" has to be quoted in YAML although the row says 3001, a number: the row decides which it is.
    const Node* whole = node.scalar.size() > 2 && node.scalar.front() == '{' && node.scalar.back() == '}'
                            ? row_.find(std::string_view(node.scalar).substr(1, node.scalar.size() - 2))
                            : nullptr;
    node.quoted = whole != nullptr && whole->quoted;
    node.scalar = fill_text(node.scalar, node.at);
  }

  std::string value_of(std::string_view name, const Position& at) const {
    const Node* value = row_.find(name);
    if (value != nullptr) return value->scalar;
    std::string what = "'{" + shown(name) + "}' is no column of this for_each row";
    if (is_name(name)) {
      std::vector<std::string> columns;
      for (const Node::Member& member : row_.members) columns.push_back(member.key);
      if (const std::string close = suggestion(name, columns); !close.empty())
        what += "; did you mean '{" + close + "}'?";
    } else {
      what = "'{' begins a placeholder here, found '{" + shown(name) + "'; write '{{' for a brace";
    }
    problems_.error(at, what);
    return "";
  }

  const Node& row_;
  Problems& problems_;
};

/// The rows of a check that has `for_each`, or nothing after a problem.
std::optional<Node> take_rows(Node& check, Problems& problems) {
  const auto member = std::find_if(check.members.begin(), check.members.end(),
                                   [](const Node::Member& candidate) { return candidate.key == "for_each"; });
  Node rows = std::move(member->value);
  check.members.erase(member);
  if (rows.kind != Node::Kind::sequence || rows.items.empty()) {
    problems.error(rows.at, "'for_each': expected a list of rows such as [ { name: web, port: 80 } ], found " +
                                (rows.kind == Node::Kind::sequence ? "an empty list" : std::string(rows.kind_name())));
    return std::nullopt;
  }
  bool good = true;
  const auto complain = [&](const Position& at, const std::string& what) {
    problems.error(at, what);
    good = false;
  };
  for (const Node& row : rows.items) {
    if (row.kind != Node::Kind::mapping) {
      complain(row.at, "a row of 'for_each' is a mapping such as { name: web, port: 80 }, found " +
                           std::string(row.kind_name()));
    }
    for (const Node::Member& column : row.members) {
      if (!is_name(column.key))
        complain(column.at, "the column '" + shown(column.key) + "' needs a name of letters, digits and _");
      if (column.value.kind != Node::Kind::scalar) {
        complain(column.value.at,
                 "a column of 'for_each' holds text or a number, found " + std::string(column.value.kind_name()));
      }
    }
  }
  if (!good) return std::nullopt;
  return rows;
}

}  // namespace

void expand_for_each(Node& checks, Problems& problems) {
  std::vector<Node::Member> expanded;
  std::map<std::string, Position> names;
  const auto keep = [&](Node::Member member) {
    const auto [known, fresh] = names.emplace(member.key, member.at);
    if (fresh) {
      expanded.push_back(std::move(member));
    } else {
      problems.error(member.at,
                     "the name '" + shown(member.key) + "' comes out twice, first at " + known->second.text());
    }
  };
  for (Node::Member& member : checks.members) {
    if (member.value.find("for_each") == nullptr) {
      keep(std::move(member));
      continue;
    }
    const auto rows = take_rows(member.value, problems);
    if (!rows) continue;
    for (const Node& values : rows->items) {
      if (expanded.size() >= most_checks) {
        problems.error(member.at, "there are more than " + std::to_string(most_checks) + " checks");
        break;
      }
      const Row row(values, problems);
      Node::Member made{row.fill_text(member.key, member.at), member.at, member.value};
      row.fill(made.value);
      keep(std::move(made));
    }
  }
  checks.members = std::move(expanded);
}

}  // namespace vitald::config
