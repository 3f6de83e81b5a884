// SPDX-License-Identifier: Apache-2.0
#include "plugin/foreign.hpp"

#include "base/msgpack.hpp"
#include "base/utf8.hpp"

namespace troupe {
namespace {

// Far above what any text or body may be: beyond it a length is garbage, not data.
constexpr std::uint64_t max_size = std::uint64_t{1} << 32;

}  // namespace

troupe_error_t to_record(const error& e, const bytes& data) {
  return {sizeof(troupe_error_t), e.retryable ? TROUPE_RETRYABLE : 0u,
          to_text(e.code),        to_text(e.message),
          to_bytes(data.view()),  e.retry_after};
}

std::optional<std::string_view> view_of(troupe_bytes_t b) {
  if (b.size == 0) return std::string_view();
  if (b.data == nullptr || b.size > max_size) return std::nullopt;
  return std::string_view(static_cast<const char*>(b.data), static_cast<std::size_t>(b.size));
}

std::optional<std::string_view> text_of(troupe_text_t t) {
  auto view = view_of({t.data, t.size});
  if (view && !is_utf8(*view)) return std::nullopt;
  return view;
}

std::string sentence_of(troupe_text_t t) {
  auto text = text_of(t);
  return text ? std::string(*text) : "(text that is not UTF-8)";
}

result<bytes> body_of(troupe_bytes_t b) {
  auto view = view_of(b);
  if (!view) return error(errc::bad_body, "no bytes where there should be a body");
  if (view->empty()) return nil_body();
  TROUPE_TRY(checked, unpack(*view));
  return bytes(*view);
}

error error_of(const troupe_error_t* record, const std::string& who) {
  if (!is_record(record)) return {errc::failed, who + ": failed, and its error is garbage"};
  auto code = text_of(record->code);
  error e(code && !code->empty() ? std::string(*code) : std::string(to_string(errc::failed)),
          sentence_of(record->message));
  e.retryable = (record->flags & TROUPE_RETRYABLE) != 0;
  if (record->retry_after > 0) e.retry_after = record->retry_after;
  if (auto data = view_of(record->data); data && !data->empty())
    if (auto v = unpack(*data)) e.data = std::move(*v);
  return e;
}

const bytes& nil_body() {
  static const bytes nil("\xc0");
  return nil;
}

error result_slot::failure(std::int32_t answered) const {
  if (answered != TROUPE_FAILED)
    return {errc::crash, who_ + " returned " + std::to_string(answered) + ", which means nothing"};
  if (error_) return *error_;
  return {errc::failed, who_ + ": failed without saying why"};
}

void result_slot::keep(troupe_bytes_t value) noexcept {
  if (auto view = view_of(value)) value_ = bytes(*view);
}

void result_slot::keep(const troupe_error_t* e) noexcept {
  error_ = error_of(e, who_);
}

}  // namespace troupe
