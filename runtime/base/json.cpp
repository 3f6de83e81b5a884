// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/body.hpp"
#include "base/map_keys.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

using document = nlohmann::ordered_json;

constexpr std::size_t max_depth = 100;

/// How much of a member's name or of a wrong token a message quotes, and how long it is at most, in
/// bytes.
constexpr std::size_t max_quote = 120;
constexpr std::size_t max_sentence = 300;

std::string shortened(std::string_view text, std::size_t most = max_quote) {
  if (!is_utf8(text)) return "(not UTF-8)";
  if (text.size() <= most) return std::string(text);
  auto n = most;
  while ((text[n] & 0xc0) == 0x80)
    --n;
  return std::string(text.substr(0, n)) + "...";
}

// -- to text ------------------------------------------------------------------------------------

/// Where in the data something is, from the outside in; lives on the stack of the walk.
struct place {
  const place* outer = nullptr;
  const value* key = nullptr;
  std::size_t index = 0;

  std::string to_string() const {
    if (outer == nullptr) return "";
    auto text = outer->to_string();
    if (key == nullptr) return text + "[" + std::to_string(index) + "]";
    if (!text.empty()) text += ".";
    if (const auto* x = key->get_if<std::int64_t>()) return text + std::to_string(*x);
    return text + shortened(key->as_string());
  }
};

error no_json(const place& at, const std::string& why) {
  auto where = at.to_string();
  return {errc::bad_body, (where.empty() ? "" : where + ": ") + why + " has no form in JSON"};
}

result<document> to_document(const value& v, const place& at, std::size_t depth);

result<std::string> to_name(const value& key, const place& at) {
  if (const auto* x = key.get_if<std::int64_t>()) return std::to_string(*x);
  if (const auto* x = key.get_if<double>(); x != nullptr && std::isfinite(*x))
    return document(*x).dump();
  if (!key.is_string() && !key.is_binary())
    return no_json(at, "the key of type " + std::string(key.type_name()));
  if (!is_utf8(key.as_string())) return no_json(at, "a key that is not UTF-8");
  return std::string(key.as_string());
}

result<document> to_object(const value::map& members, const place& at, std::size_t depth) {
  document::object_t object;
  object.reserve(members.size());
  bool all_text = true;
  for (const auto& [key, member] : members) {
    TROUPE_TRY(name, to_name(key, at));
    all_text = all_text && key.is_string();
    TROUPE_TRY(converted, to_document(member, {&at, &key}, depth));
    // Not operator[]: it looks through all members each time.
    static_cast<document::object_t::Container&>(object).emplace_back(std::move(name),
                                                                     std::move(converted));
  }
  if (!all_text) {
    std::vector<std::string_view> names;
    for (const auto& member : object)
      names.push_back(member.first);
    std::sort(names.begin(), names.end());
    auto twin = std::adjacent_find(names.begin(), names.end());
    if (twin != names.end()) return no_json(at, "the key " + shortened(*twin) + " twice");
  }
  return document(std::move(object));
}

result<document> to_document(const value& v, const place& at, std::size_t depth) {
  if (v.is_nil()) return document(nullptr);
  if (const auto* x = v.get_if<bool>()) return document(*x);
  if (const auto* x = v.get_if<std::int64_t>()) return document(*x);
  if (const auto* x = v.get_if<double>()) {
    if (!std::isfinite(*x)) return no_json(at, std::isnan(*x) ? "NaN" : "an infinity");
    return document(*x);
  }
  if (v.is_string() || v.is_binary()) {
    if (!is_utf8(v.as_string())) return no_json(at, "a string that is not UTF-8");
    return document(std::string(v.as_string()));
  }
  if (const auto* x = v.get_if<value::extension>()) {
    if (!is_known_extension(x->type, x->bytes.size())) return no_json(at, "an extension");
    return document(printed_address(x->bytes));
  }
  if (depth == 0)
    return error(errc::too_big, "JSON: nested deeper than " + std::to_string(max_depth));
  if (const auto* members = v.get_if<value::map>()) return to_object(*members, at, depth - 1);
  document::array_t array;
  array.reserve(v.as_array().size());
  for (const auto& element : v.as_array()) {
    TROUPE_TRY(converted, to_document(element, {&at, nullptr, array.size()}, depth - 1));
    array.push_back(std::move(converted));
  }
  return document(std::move(array));
}

// -- from text ----------------------------------------------------------------------------------

/// Builds a value from what the parser finds. A list or map that is being read is the last member
/// of the one around it, which does not grow meanwhile, so pointers to them stay good.
class reader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  reader(std::string_view text, std::size_t room, value& root)
      : text_(text), room_(room), left_(room), root_(root) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool x) override { return put(x); }
  bool number_integer(number_integer_t x) override { return put(std::int64_t{x}); }
  bool number_unsigned(number_unsigned_t x) override { return put(std::uint64_t{x}); }
  bool number_float(number_float_t x, const string_t&) override { return put(x); }
  bool string(string_t& x) override { return takes(x.size()) && put(std::move(x)); }
  bool binary(binary_t&) override { return false; }  // not in text

  bool start_object(std::size_t) override { return open(value::map{}); }
  bool key(string_t& x) override {
    if (!takes(sizeof(value) + x.size())) return false;
    open_.back()->get_if<value::map>()->emplace_back(std::move(x), nullptr);
    return true;
  }
  bool end_object() override {
    drop_repeated_keys(*open_.back()->get_if<value::map>());
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override { return open(value::array{}); }
  bool end_array() override {
    open_.pop_back();
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& why) override {
    fault_ = error(errc::syntax, "JSON: " + where(position) + ": " + sentence(why.what()));
    return false;
  }

  const error& fault() const { return fault_; }

 private:
  value& place(value x) {
    if (open_.empty()) return root_ = std::move(x);
    if (auto* list = open_.back()->get_if<value::array>()) return list->emplace_back(std::move(x));
    return open_.back()->get_if<value::map>()->back().second = std::move(x);
  }
  bool takes(std::size_t bytes) {
    if (bytes <= left_) {
      left_ -= bytes;
      return true;
    }
    fault_ = error(errc::too_big,
                   "JSON: its data would not fit into " + std::to_string(room_) + " bytes");
    return false;
  }
  bool put(value x) {
    if (!takes(sizeof(value))) return false;
    place(std::move(x));
    return true;
  }
  bool open(value empty) {
    if (open_.size() == max_depth) {
      fault_ = error(errc::too_big, "JSON: nested deeper than " + std::to_string(max_depth));
      return false;
    }
    if (!takes(sizeof(value))) return false;
    open_.push_back(&place(std::move(empty)));
    return true;
  }

  /// `position` counts the bytes read, the wrong one included. Columns count characters, from 1.
  std::string where(std::size_t position) const {
    const auto before =
        text_.substr(0, position == 0 ? 0 : std::min(position, text_.size() + 1) - 1);
    const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const auto columns = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start),
                                       before.end(), [](char c) { return (c & 0xc0) != 0x80; });
    return "line " + std::to_string(lines + 1) + ", column " + std::to_string(columns + 1);
  }

  /// What the library says, without its own numbers, and with what it quotes kept short.
  static std::string sentence(std::string_view what) {
    if (auto end = what.find("] "); end != what.npos) what.remove_prefix(end + 2);
    if (what.starts_with("parse error at "))
      if (auto end = what.find(": "); end != what.npos) what.remove_prefix(end + 2);
    std::string tail;
    for (std::string_view quote : {"last read: '", "overflow parsing '"}) {
      auto start = what.find(quote);
      if (start == what.npos) continue;
      start += quote.size();
      auto end = what.rfind("'; expected ");
      if (end == what.npos) end = what.rfind('\'');
      if (end == what.npos || end < start) end = what.size();
      tail = shortened(what.substr(start, end - start)) + std::string(what.substr(end));
      what = what.substr(0, start);
      break;
    }
    return shortened(std::string(what) + tail, max_sentence);
  }

  std::string_view text_;
  const std::size_t room_;
  std::size_t left_;
  value& root_;
  std::vector<value*> open_;
  error fault_;
};

}  // namespace

result<std::string> to_json(const value& v, const json_style& style) {
  TROUPE_TRY(converted, to_document(v, {}, max_depth));
  return converted.dump(style.indent);
}

result<value> parse_json(std::string_view text, std::size_t room) {
  value root;
  reader to(text, room, root);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &to)) return to.fault();
  return root;
}

}  // namespace troupe
