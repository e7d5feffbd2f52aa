#include "probes/sql/session.hpp"

#include <algorithm>
#include <charconv>

namespace vitald::probes::sql {
namespace {

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::optional<std::size_t> Table::column(std::string_view name) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (same_word(columns[i].name, name)) return i;
  }
  return std::nullopt;
}

Cell Table::cell(std::size_t row, std::string_view name) const {
  const auto place = column(name);
  if (!place || row >= rows.size() || *place >= rows[row].size()) return std::nullopt;
  return rows[row][*place];
}

std::optional<double> Table::number(std::size_t row, std::string_view name) const {
  const Cell text = cell(row, name);
  return text ? to_number(*text) : std::nullopt;
}

std::optional<double> to_number(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace vitald::probes::sql
