#include "daemon/html.hpp"

#include "alerting/voice.hpp"

namespace vitald::daemon {
namespace {

constexpr std::size_t longest_attribute = 2000;

bool leads_to_the_web(std::string_view address) {
  return address.starts_with("https://") || address.starts_with("http://");
}

}  // namespace

Html& Html::doctype() {
  out_ += "<!doctype html>\n";
  return *this;
}

Html& Html::open(Word tag, std::initializer_list<Attribute> attributes) {
  out_ += '<';
  out_ += tag.text();
  for (const Attribute& attribute : attributes) {
    out_ += ' ';
    out_ += attribute.name.text();
    out_ += "=\"";
    escape(alerting::clean(attribute.value, longest_attribute));
    out_ += '"';
  }
  out_ += '>';
  return *this;
}

Html& Html::close(Word tag) {
  out_ += "</";
  out_ += tag.text();
  out_ += ">\n";
  return *this;
}

Html& Html::text(std::string_view foreign, std::size_t most) {
  escape(alerting::clean(foreign, most));
  return *this;
}

Html& Html::element(Word tag, std::string_view foreign, std::initializer_list<Attribute> attributes) {
  return open(tag, attributes).text(foreign).close(tag);
}

Html& Html::link(std::string_view address, std::string_view words) {
  if (!leads_to_the_web(address)) return text(words);
  return element("a", words, {{"href", address}, {"rel", "noreferrer noopener"}});
}

void Html::escape(std::string_view cleaned) {
  for (const char c : cleaned) {
    switch (c) {
      case '&':
        out_ += "&amp;";
        break;
      case '<':
        out_ += "&lt;";
        break;
      case '>':
        out_ += "&gt;";
        break;
      case '"':
        out_ += "&quot;";
        break;
      case '\'':
        out_ += "&#39;";
        break;
      default:
        out_ += c;
    }
  }
}

}  // namespace vitald::daemon
