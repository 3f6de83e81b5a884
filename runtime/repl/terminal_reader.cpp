// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cwchar>

#include "repl/line_reader.hpp"

namespace troupe {

namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == ':' ||
         c == '/';
}

std::string common_prefix(const std::vector<std::string>& words) {
  auto prefix = words.front();
  for (const auto& w : words) {
    const auto end = std::mismatch(prefix.begin(), prefix.end(), w.begin(), w.end()).first;
    prefix.erase(end, prefix.end());
  }
  return prefix;
}

class terminal final : public line_reader {
 public:
  terminal(completer complete, std::string history_file, int wake)
      : complete_(std::move(complete)), history_file_(std::move(history_file)), wake_(wake) {
    if (::pipe2(asides_, O_CLOEXEC | O_NONBLOCK) != 0) asides_[0] = asides_[1] = -1;
    edit_ = el_init("troupe", stdin, stdout, stderr);
    el_set(edit_, EL_CLIENTDATA, this);
    // The + makes a function pointer: variadic parameters would take the lambda itself.
    el_set(
        edit_, EL_PROMPT, +[](EditLine* e) { return const_cast<char*>(of(e).prompt_.c_str()); });
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 0);
    el_set(
        edit_, EL_GETCFN, +[](EditLine* e, wchar_t* c) { return of(e).read_character(*c); });
    history_ = history_init();
    history(history_, &event_, H_SETSIZE, 2000);
    history(history_, &event_, H_SETUNIQUE, 1);
    el_set(edit_, EL_HIST, history, history_);
    if (!history_file_.empty()) history(history_, &event_, H_LOAD, history_file_.c_str());
    el_wset(  // el_set leaks both texts
        edit_, EL_ADDFN, L"complete", L"complete what stands before the cursor",
        +[](EditLine* e, int) -> unsigned char { return of(e).complete(); });
    el_set(edit_, EL_BIND, "^I", "complete", nullptr);
    el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  }

  ~terminal() override {
    if (!history_file_.empty()) {
      const auto old = ::umask(0177);
      history(history_, &event_, H_SAVE, history_file_.c_str());
      ::umask(old);
    }
    history_end(history_);
    el_end(edit_);
    show_asides();
    for (const int fd : asides_)
      if (fd >= 0) ::close(fd);
  }

  bool is_terminal() const override { return true; }
  bool was_interrupted() const override { return was_interrupted_; }

  std::optional<std::string> read(const std::string& prompt) override {
    prompt_ = prompt;
    was_interrupted_ = false;
    int length = 0;
    is_reading_ = true;
    // Before the prompt is drawn: el_gets does it afterwards, and a Ctrl-D typed in between is
    // lost.
    el_set(edit_, EL_PREP_TERM, 1);
    const char* text = el_gets(edit_, &length);
    is_reading_ = false;
    show_asides();
    if (was_interrupted_) {
      el_reset(edit_);
      std::fputs("^C\n", stdout);
      std::fflush(stdout);
      return std::string();
    }
    if (text == nullptr || length <= 0) return std::nullopt;
    std::string line(text, static_cast<std::size_t>(length));
    while (line.ends_with('\n'))
      line.pop_back();
    return line;
  }

  /// A line that comes just when reading ends waits for the next read at most.
  void write_aside(std::string_view text) override {
    const int fd = is_reading_ ? asides_[1] : STDERR_FILENO;
    while (!text.empty()) {
      const auto n = ::write(fd, text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;  // more than a pipe holds while nobody looks: a storm, not news
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  void remember(const std::string& entry) override {
    history(history_, &event_, H_ENTER, entry.c_str());
  }

 private:
  static terminal& of(EditLine* e) {
    void* self = nullptr;
    el_get(e, EL_CLIENTDATA, &self);
    return *static_cast<terminal*>(self);
  }

  /// 1 with a character, 0 at the end, -1 on an error or when it was woken.
  int read_character(wchar_t& c) {
    std::mbstate_t state{};
    for (;;) {
      pollfd fds[] = {{wake_, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}, {asides_[0], POLLIN, 0}};
      if (::poll(fds, 3, -1) < 0) {
        if (errno == EINTR) continue;
        return -1;
      }
      if (fds[0].revents != 0) {
        was_interrupted_ = true;
        return -1;
      }
      if ((fds[2].revents & POLLIN) != 0 && show_asides()) el_set(edit_, EL_REFRESH);
      if (fds[1].revents == 0) continue;
      char byte = 0;
      const auto got = ::read(STDIN_FILENO, &byte, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return static_cast<int>(got);
      const auto used = std::mbrtowc(&c, &byte, 1, &state);
      if (used == static_cast<std::size_t>(-2)) continue;
      if (used == static_cast<std::size_t>(-1)) c = L'\xfffd';
      return 1;
    }
  }

  /// Puts the whole lines that came into the place of the prompt. False if there were none.
  bool show_asides() {
    char data[4096];
    for (ssize_t n; (n = ::read(asides_[0], data, sizeof data)) > 0;)
      aside_.append(data, static_cast<std::size_t>(n));
    const auto end = aside_.rfind('\n');
    if (end == std::string::npos) return false;
    const auto lines = "\r\x1b[J" + aside_.substr(0, end + 1);
    aside_.erase(0, end + 1);
    std::fflush(stdout);
    [[maybe_unused]] const auto n = ::write(STDERR_FILENO, lines.data(), lines.size());
    return true;
  }

  unsigned char complete() {
    const auto* line = el_line(edit_);
    const std::string_view before(line->buffer,
                                  static_cast<std::size_t>(line->cursor - line->buffer));
    const bool is_command = before.starts_with(':');
    auto start = before.size();
    while (start > 0 && (is_command ? before[start - 1] != ' ' : is_word(before[start - 1])))
      --start;
    const std::string word(before.substr(start));
    auto words = complete_(before, word);
    if (words.empty()) return CC_ERROR;
    const auto prefix = common_prefix(words);
    if (prefix.size() > word.size()) {
      el_insertstr(edit_, prefix.substr(word.size()).c_str());
      return CC_REFRESH;
    }
    if (words.size() == 1) return CC_NORM;
    std::sort(words.begin(), words.end());
    std::fputc('\n', stdout);
    for (std::size_t i = 0; i < words.size() && i < 60; ++i)
      std::printf("%s  ", words[i].c_str());
    if (words.size() > 60) std::printf("... %zu in all", words.size());
    std::fputc('\n', stdout);
    return CC_REDISPLAY;
  }

  completer complete_;
  std::string history_file_;
  const int wake_;
  int asides_[2] = {-1, -1};  ///< from write_aside to whoever reads
  std::atomic<bool> is_reading_{false};
  std::string aside_;  ///< not yet a line
  EditLine* edit_ = nullptr;
  History* history_ = nullptr;
  HistEvent event_{};
  std::string prompt_;
  bool was_interrupted_ = false;
};

}  // namespace

std::unique_ptr<line_reader> terminal_reader(line_reader::completer complete,
                                             const std::string& history_file, int wake) {
  return std::make_unique<terminal>(std::move(complete), history_file, wake);
}

}  // namespace troupe
