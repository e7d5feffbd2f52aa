#include "config/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "config/shown.hpp"
#include "config/utf8.hpp"

namespace vitald::config {
namespace {

/// Thrown by the builder through yaml-cpp, which has no other way to be stopped; parse_text catches it.
struct Stop {
  Position at;
  std::string what;
};

std::string plural(std::size_t count, const std::string& noun) { return std::to_string(count) + " " + noun; }

/// Turns events into Nodes. yaml-cpp announces the parts of a mapping as key, value, key, value.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::shared_ptr<const std::string> file, Problems& problems, const Bounds& bounds)
      : file_(std::move(file)), problems_(problems), bounds_(bounds) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw Stop{place(mark), "expected one document in a file, found a second one after '---'"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (take_key(mark, "")) return;
    Node node;
    node.at = place(mark);
    add(std::move(node), anchor, 1);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) throw Stop{place(mark), "this alias stands inside of what it refers to"};
    if (wants_key()) throw Stop{place(mark), "expected a key, found an alias"};
    count(known->second.nodes, mark);
    if (static_cast<int>(open_.size()) + known->second.depth > bounds_.nesting) too_deep(mark);
    add(known->second.node, YAML::NullAnchor, known->second.depth);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    if (take_key(mark, value)) return;
    Node node;
    node.kind = Node::Kind::scalar;
    node.at = place(mark);
    node.scalar = value;
    node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    add(std::move(node), anchor, 1);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(Node::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(Node::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  /// A list or mapping whose end has not come yet.
  struct Open {
    Node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::size_t counted_before = 0;
    int depth = 1;                                           // of what lies below, itself included
    std::optional<Node::Member> member = {};                 // its key was read, its value is next
    std::unordered_map<std::string, std::size_t> seen = {};  // key to index in node.members
    bool drop_value = false;                                 // that of a duplicate key
  };
  struct Anchored {
    Node node;
    std::size_t nodes;
    int depth;
  };

  Position place(const YAML::Mark& mark) const {
    return mark.is_null() ? Position{file_, 0, 0} : Position{file_, mark.line + 1, mark.column + 1};
  }

  void count(std::size_t nodes, const YAML::Mark& mark) {
    nodes_ += nodes;
    if (nodes_ > bounds_.nodes) {
      throw Stop{place(mark), "the file has more than " + plural(bounds_.nodes, "values, expanded aliases included")};
    }
  }

  [[noreturn]] void too_deep(const YAML::Mark& mark) const {
    throw Stop{place(mark),
               "lists and mappings are nested deeper than " + plural(std::size_t(bounds_.nesting), "levels")};
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.size() <= 1 || tag.starts_with("tag:yaml.org,2002:")) return;
    problems_.error(place(mark), "YAML tags such as '" + shown(tag) + "' have no meaning here");
  }

  bool wants_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::mapping && !open_.back().member;
  }

  bool take_key(const YAML::Mark& mark, const std::string& key) {
    if (!wants_key()) return false;
    Open& open = open_.back();
    if (key.empty()) throw Stop{place(mark), "expected a key, found nothing"};
    const auto [known, fresh] = open.seen.try_emplace(key, open.node.members.size());
    if (!fresh) {
      problems_.error(place(mark), "'" + shown(key) + "' stands twice in the same mapping, first at " +
                                       open.node.members[known->second].at.text());
    } else if (key == "<<") {
      problems_.error(place(mark), "merge keys ('<<') are not supported; use defaults: or for_each:");
    }
    open.drop_value = !fresh;
    open.member = Node::Member{key, place(mark), {}};
    return true;
  }

  void begin(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check_tag(mark, tag);
    if (wants_key()) throw Stop{place(mark), "expected a key, found a list or a mapping"};
    if (static_cast<int>(open_.size()) >= bounds_.nesting) too_deep(mark);
    Open open;
    open.node.kind = kind;
    open.node.at = place(mark);
    open.anchor = anchor;
    open.counted_before = nodes_;
    open_.push_back(std::move(open));
  }

  void end() {
    Open open = std::move(open_.back());
    open_.pop_back();
    add(std::move(open.node), open.anchor, open.depth, open.counted_before);
  }

  void add(Node node, YAML::anchor_t anchor, int depth, std::optional<std::size_t> counted_before = {}) {
    const YAML::Mark mark = mark_of(node);
    count(1, mark);
    if (anchor != YAML::NullAnchor) {
      const std::size_t nodes = counted_before ? nodes_ - *counted_before : 1;
      count(nodes, mark);  // the copy that is kept for aliases is as large as the original
      anchors_.insert_or_assign(anchor, Anchored{node, nodes, depth});
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& open = open_.back();
    open.depth = std::max(open.depth, depth + 1);
    if (open.node.kind == Node::Kind::sequence) {
      open.node.items.push_back(std::move(node));
      return;
    }
    if (!open.drop_value) {
      open.member->value = std::move(node);
      open.node.members.push_back(std::move(*open.member));
    }
    open.member.reset();
  }

  static YAML::Mark mark_of(const Node& node) {
    YAML::Mark mark;
    mark.line = node.at.line - 1;
    mark.column = node.at.column - 1;
    return mark;
  }

  std::shared_ptr<const std::string> file_;
  Problems& problems_;
  const Bounds& bounds_;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

/// yaml-cpp's own words where they are good, ours where a person would not know what to do.
std::string in_plain_words(const std::string& theirs) {
  if (theirs == YAML::ErrorMsg::TAB_IN_INDENTATION) return "a tab cannot indent YAML; use spaces";
  if (theirs == YAML::ErrorMsg::UNKNOWN_TOKEN) {
    return "a value cannot begin with this character; put the value between quotes";
  }
  if (theirs == YAML::ErrorMsg::MAP_KEY || theirs == YAML::ErrorMsg::MAP_VALUE) {
    return "this cannot be a key here: check the indentation, and put values that contain ': ' between quotes";
  }
  if (theirs == YAML::ErrorMsg::END_OF_MAP || theirs == YAML::ErrorMsg::END_OF_SEQ) {
    return "this line is not part of the list or mapping before it: check the indentation";
  }
  if (theirs == YAML::ErrorMsg::END_OF_MAP_FLOW) return "this '{' has no '}', or a comma is missing before this place";
  if (theirs == YAML::ErrorMsg::END_OF_SEQ_FLOW) return "this '[' has no ']', or a comma is missing before this place";
  if (theirs == YAML::ErrorMsg::EOF_IN_SCALAR || theirs == YAML::ErrorMsg::DOC_IN_SCALAR) {
    return "the file ends inside of a quoted text";
  }
  return theirs;
}

/// The text of line `number`, counted from 0.
std::string_view line_of(std::string_view text, int number) {
  for (; number > 0 && text.find('\n') != std::string_view::npos; --number) text.remove_prefix(text.find('\n') + 1);
  return text.substr(0, text.find('\n'));
}

Problem problem_of(const YAML::Exception& error, std::string_view text, std::shared_ptr<const std::string> file) {
  if (error.mark.is_null()) return {{std::move(file), 0, 0}, in_plain_words(error.msg)};
  const std::string_view line = line_of(text, error.mark.line);
  const bool tabbed = line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
  return {{std::move(file), error.mark.line + 1, error.mark.column + 1},
          in_plain_words(tabbed ? YAML::ErrorMsg::TAB_IN_INDENTATION : error.msg)};
}

}  // namespace

Node parse_text(std::string_view text, std::string name, Problems& problems, const Bounds& bounds) {
  const auto file = std::make_shared<const std::string>(std::move(name));
  if (text.size() > bounds.file_bytes) {
    problems.error({file, 0, 0}, "is larger than " + plural(bounds.file_bytes >> 10, "KiB"));
    return {};
  }
  if (const auto bad = find_bad_character(text)) {
    problems.error({file, bad->line, bad->column}, bad->what);
    return {};
  }
  TreeBuilder builder(file, problems, bounds);
  try {
    // yaml-cpp 0.7 takes a quoted text that never ends for one that ends with the file, unless a document ends there.
    std::istringstream stream(std::string(text) + (text.ends_with('\n') ? "...\n" : "\n...\n"));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& stop) {
    problems.error(stop.at, stop.what);
    return {};
  } catch (const YAML::Exception& error) {
    Problem problem = problem_of(error, text, file);
    problems.error(std::move(problem.at), std::move(problem.what));
    return {};
  }
  Node root = builder.take_root();
  if (!root.at.file) root.at = {file, 1, 1};
  return root;
}

}  // namespace vitald::config
