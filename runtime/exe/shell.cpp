// SPDX-License-Identifier: Apache-2.0
//
// `troupe shell`: a prompt in a fresh node. What is typed runs in an agent of its own, so a loop in
// it takes nothing with it; commands are that agent's too, but for those that are about this
// program.
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <mutex>
#include <optional>
#include <sstream>
#include <utility>

#include "actors/tool/api.hpp"
#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "exe/asides.hpp"
#include "exe/cli.hpp"
#include "exe/help.hpp"
#include "exe/interrupts.hpp"
#include "exe/load_app.hpp"
#include "exe/node.hpp"
#include "exe/prefix.hpp"
#include "repl/repl.hpp"

namespace troupe::cli {

namespace {

result<address> start_prompt(node& n, const child_spec& spec) {
  TROUPE_TRY(init, n.launcher().prepare(spec, {"shell", n.door().self(), nullptr}));
  return n.door().start(std::move(init));
}

class node_session final : public session {
 public:
  /// `beside` is what the node's screen goes through; null: nothing.
  node_session(node& n, interrupts& signals, asides* beside, address prompt, child_spec spec,
               bool json)
      : node_(n),
        signals_(signals),
        beside_(beside),
        prompt_(prompt),
        spec_(std::move(spec)),
        json_(json) {}

  result<std::string> evaluate(const std::string& text) override {
    return text_of(ask("eval", value::array{text}));
  }

  result<std::string> command(const std::vector<std::string>& words,
                              std::string_view rest) override {
    if (words[0] == "quit" || words[0] == "q" || words[0] == "exit") {
      over_ = true;
      return std::string();
    }
    if (words[0] == "help" || words[0] == "h") return shown(help(std::string(rest)));
    if (words[0] == "reload" && words.size() == 3 && words[1] == "plugin") {
      TROUPE_CHECK(node_.plugins().reload(words[2]));
      TROUPE_CHECK(
          node_.door().call(std::string(tool_api::name), tool_api::refresh, *pack(value::array{})));
      return shown("plugin " + words[2] + " is loaded anew; what runs keeps the old code");
    }
    if (words[0] == "kill") {
      if (words.size() != 2) return error(errc::bad_argument, "usage: :kill AGENT");
      return shown(kill(words[1]));
    }
    TROUPE_CHECK(check_command(":" + words[0]));
    value::array all;
    for (const auto& w : words)
      all.emplace_back(w);
    return text_of(ask("command", value::array{value(std::move(all))}));
  }

  bool is_incomplete(const std::string& text) override {
    auto answer = quick("check", value::array{text});
    return answer && answer->as_bool();
  }

  std::vector<std::string> complete(std::string_view before, std::string_view word) override {
    if (!before.starts_with(':')) return texts(quick("complete", value::array{word}));
    std::istringstream line{std::string(before.substr(0, before.size() - word.size()))};
    std::vector<std::string> given;
    for (std::string one; line >> one;)
      given.push_back(std::move(one));
    std::vector<std::string> words;
    if (given.empty()) {
      words = command_names();
    } else {
      const std::string name = std::move(given.front());
      given.erase(given.begin());
      for (const auto& next : next_words(name, given))
        for (auto& one : words_for(next, word))
          words.push_back(std::move(one));
    }
    std::erase_if(words, [&](const auto& one) { return !one.starts_with(word); });
    return words;
  }

  std::string describe(const error& why) override {
    // What came before stands above it.
    node_.screen().drain(std::chrono::milliseconds(100));
    if (beside_ != nullptr) beside_->drain(std::chrono::milliseconds(100));
    if (!json_) return session::describe(why);
    auto text = to_json(value::map{{"error", to_value(why)}});
    return text ? *text : why.describe();
  }

  void interrupt() override {
    if (signals_.came().value_or(SIGINT) != SIGINT) over_ = true;
    signals_.forget();
  }

  bool is_over() const override { return over_; }
  /// It is over because the prompt has died for good.
  bool has_failed() const { return has_failed_; }

 private:
  /// Waits until it has ended, so that the next line sees who came after it.
  result<std::string> kill(const std::string& path) {
    auto ended = std::make_shared<std::promise<error>>();  // shared: it may end after the wait
    auto end = ended->get_future();
    // Before the signal, so that it is this incarnation's end.
    node_.door().monitor(path, [ended](error why) { ended->set_value(std::move(why)); });
    node_.door().exit(path, {errc::kill, "killed at the prompt"});
    if (end.wait_for(std::chrono::seconds(5)) != std::future_status::ready)
      return error(errc::timeout, path + " does not come out of its turn");
    const auto why = end.get();
    if (!why.is(errc::killed) && !why.is(errc::kill)) return why;
    return path + " was killed";
  }

  /// A sentence of this program, in the form in which results are shown.
  result<std::string> shown(result<std::string> said) const {
    if (!said || !json_) return said;
    return to_json(value(*said));
  }

  /// What may stand where a usage says `kind`.
  std::vector<std::string> words_for(const std::string& kind, std::string_view word) {
    if (kind == "AGENT.VERB") {
      const auto dot = word.rfind('.');
      return dot == word.npos ? agents(".", false) : verbs_of(std::string(word.substr(0, dot)));
    }
    if (kind == "AGENT") return agents("", false);
    if (kind == "SUPERVISOR") return agents("", true);
    if (kind == "FILE") return scripts(word);
    if (kind == "WORD") return help_words();
    if (kind == "plugin" || kind == "app") return {kind};
    return {};
  }

  /// Their paths, and `more`.
  std::vector<std::string> agents(const char* more, bool supervisors) {
    std::vector<std::string> paths;
    if (supervisors) paths.emplace_back("app");
    const auto answer = quick("agents", {});
    for (const auto& one : answer ? answer->as_array() : value::array{})
      if (!supervisors || one["is_supervisor"].as_bool())
        paths.push_back(std::string(one["path"].as_string()) + more);
    return paths;
  }

  /// `path.verb`; those of a script alone are known without asking it.
  std::vector<std::string> verbs_of(const std::string& path) {
    std::vector<std::string> words;
    const auto answer = quick("spec", value::array{path});
    if (!answer) return words;
    const auto spec = child_spec::from(*answer, node_.running().folder);
    if (!spec) return words;
    const auto said = node_.launcher().declaration_of(*spec);
    if (!said) return words;
    for (const auto& verb : (*said)->verbs)
      words.push_back(path + "." + verb.name);
    return words;
  }

  /// Lua files and folders where `word` leads, from the app's folder.
  std::vector<std::string> scripts(std::string_view word) const {
    const auto slash = word.rfind('/');
    const std::string above(word.substr(0, slash == word.npos ? 0 : slash + 1));
    std::vector<std::string> words;
    std::error_code failed;
    const auto folder = std::filesystem::path(node_.running().folder) / above;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
      const auto name = entry.path().filename().string();
      if (name.starts_with('.') || name.find(' ') != name.npos) continue;
      if (entry.is_directory(failed))
        words.push_back(above + name + "/");
      else if (name.ends_with(".lua"))
        words.push_back(above + name);
    }
    return words;
  }

  static std::vector<std::string> texts(const result<value>& list) {
    std::vector<std::string> words;
    if (!list) return words;
    for (const auto& one : list->as_array())
      words.emplace_back(one.as_string());
    return words;
  }

  /// Waits for the answer, or for Ctrl-C, which takes the call back.
  result<value> ask(std::string_view verb, value::array args) {
    struct {
      std::mutex mutex;
      std::optional<result<bytes>> answer;
    } state;
    TROUPE_TRY(body, pack(value(std::move(args))));
    call_options options;
    options.timeout = duration::max();
    const auto id = node_.door().begin_call(
        prompt_, verb, std::move(body), options,
        [&](result<bytes> a) {
          std::lock_guard lock(state.mutex);
          state.answer = std::move(a);
          signals_.notify();
        },
        [this](call_id call, const bytes& part) {  // what a command shows as it comes
          if (const auto text = unpack(part.view())) {
            std::fwrite(text->as_string().data(), 1, text->as_string().size(), stdout);
            std::fflush(stdout);
          }
          node_.door().grant(call, 1);
        });
    for (;;) {
      const auto signal = signals_.wait();
      std::unique_lock lock(state.mutex);
      if (state.answer) break;
      if (!signal) continue;
      lock.unlock();
      if (*signal != SIGINT) over_ = true;
      return take_back(id);
    }
    if (!*state.answer) {
      const auto& why = state.answer->error();
      if (why.is(errc::down)) TROUPE_CHECK(restart());
      return why;
    }
    return unpack((*state.answer)->view());
  }

  /// A line that waits ends by itself when it is taken back; one that computes has to be killed.
  result<value> take_back(call_id id) {
    node_.door().cancel(id);
    signals_.forget();
    auto alive = quick("check", value::array{""});
    if (alive) return error(errc::cancelled, "taken back");
    node_.door().exit(prompt_, {errc::kill, "Ctrl-C"});
    node_.door().wait_end(prompt_, std::chrono::seconds(5));
    TROUPE_CHECK(restart());
    return error(errc::killed,
                 "it would not stop, so the prompt was started anew; its variables are gone");
  }

  /// Without a prompt there is nothing left to do here.
  result<void> restart() {
    auto started = start_prompt(node_, spec_);
    if (started) {
      prompt_ = *started;
      return ok();
    }
    over_ = has_failed_ = true;
    return started.error().wrapped(errc::down, "the prompt can't be started anew");
  }

  result<value> quick(std::string_view verb, value::array args) {
    TROUPE_TRY(body, pack(value(std::move(args))));
    call_options options;
    options.timeout = std::chrono::milliseconds(500);
    TROUPE_TRY(answer, node_.door().call(prompt_, verb, std::move(body), options));
    return unpack(answer.view());
  }

  static result<std::string> text_of(const result<value>& v) {
    if (!v) return v.error();
    return std::string(v->as_string());
  }

  node& node_;
  interrupts& signals_;
  asides* const beside_;
  address prompt_;
  child_spec spec_;
  const bool json_;
  bool over_ = false;
  bool has_failed_ = false;
};

std::string history_file() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (state != nullptr && *state == '/')
    folder = state;
  else if (home != nullptr && *home == '/')
    folder = std::filesystem::path(home) / ".local/state";
  else
    return {};
  std::error_code failed;
  std::filesystem::create_directories(folder / "troupe", failed);
  return failed ? std::string() : (folder / "troupe/history").string();
}

}  // namespace

int shell(const file_options& o) {
  std::setlocale(LC_CTYPE, "C.UTF-8");  // for the line editor
  interrupts signals;
  app what = empty_app();
  if (!o.file.empty()) {
    auto loaded = load_app(o.file, {}, o.settings);
    if (!loaded) return complain(loaded.error(), o.json);
    what = std::move(*loaded);
  }
  const bool is_terminal = isatty(0) != 0 && isatty(1) != 0;
  std::optional<asides> beside;
  if (is_terminal && isatty(2) != 0) beside.emplace();
  node_settings with;
  with.screen = {.fd = beside ? beside->fd() : 2,
                 .json = o.json,
                 .is_terminal = isatty(2) != 0,
                 .has_tracebacks = o.verbose || isatty(2) != 0};
  with.threads = o.threads;
  if (o.verbose) with.least = log_level::info;
  if (!o.file.empty()) with.reads_app = [&o] { return load_app(o.file, {}, o.settings); };
  if (o.watch) with.watched_app = absolute_file(o.file);
  auto opened = node::open(with, std::move(what));
  if (!opened) return complain(opened.error(), o.json);
  node& n = **opened;

  child_spec spec;
  spec.id = "shell";
  spec.start = start_script{shell_folder() + "/prompt.lua"};
  spec.base_folder = n.running().folder;
  spec.grants = grants::all();
  spec.options.set("json", o.json);
  auto prompt = start_prompt(n, spec);
  if (!prompt) return complain(prompt.error(), o.json);

  node_session s(n, signals, beside ? &*beside : nullptr, *prompt, spec, o.json);
  auto in = is_terminal
                ? terminal_reader([&](auto before, auto word) { return s.complete(before, word); },
                                  history_file(), signals.descriptor())
                : plain_reader(0);
  if (beside) beside->show_with(in.get());
  if (is_terminal)
    std::printf("troupe: Lua, and :help for what else can be done here; :quit leaves\n");
  int code = run_repl(s, *in, stdout, stderr);
  if (s.has_failed()) code = failed;
  if (beside) beside->show_with(nullptr);
  in.reset();
  signals.arm();
  const auto report = n.stop();
  std::fflush(stdout);
  if (!report.stuck.empty()) {
    n.screen().drain(std::chrono::seconds(1));
    _exit(code);
  }
  return code;
}

}  // namespace troupe::cli
