#include "probes/sql/session.hpp"

#include "config/ascii.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::sql {

std::optional<std::size_t> Table::column(std::string_view name) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (equal_but_case(columns[i].name, name)) return i;
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

}  // namespace vitald::probes::sql
