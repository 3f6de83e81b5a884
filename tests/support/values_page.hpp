// SPDX-License-Identifier: Apache-2.0
//
// The tables of sdk/docs/values.md, so that tests can hold every side to the page.
#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One line of a table: its cells, without the backquotes around code.
using page_row = std::vector<std::string>;

/// The rows of the table below `## heading`, without its head; empty if there is none.
inline std::vector<page_row> values_table(const std::string& file, std::string_view heading) {
  std::ifstream page(file);
  std::vector<page_row> rows;
  bool here = false;
  int head = 2;  // the names of the columns, and the line below
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) here = line.substr(3) == heading;
    if (!here || !line.starts_with("|")) continue;
    if (head-- > 0) continue;
    page_row row;
    for (std::size_t at = 1, end; (end = line.find('|', at)) != line.npos; at = end + 1) {
      auto cell = line.substr(at, end - at);
      cell.erase(0, cell.find_first_not_of(' '));
      cell.erase(cell.find_last_not_of(' ') + 1);
      if (cell.size() >= 2 && cell.front() == '`' && cell.back() == '`')
        cell = cell.substr(1, cell.size() - 2);
      row.push_back(cell);
    }
    rows.push_back(row);
  }
  return rows;
}

/// Bytes from hexadecimal with blanks between.
inline std::string from_hex(std::string_view text) {
  std::string data;
  for (std::size_t i = 0; i + 1 < text.size(); i += 3)
    data += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return data;
}

}  // namespace troupe
