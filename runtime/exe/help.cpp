// SPDX-License-Identifier: Apache-2.0
#include "exe/help.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "exe/stubs.hpp"

namespace troupe::cli {

namespace {

struct command_help {
  const char* usage;
  const char* text;
};
constexpr command_help commands[] = {
    {":ps", "all agents: state, mailbox, calls, memory"},
    {":tree", "the supervision tree"},
    {":spawn FILE [ID]", "start an agent's file in the app's tree"},
    {":call AGENT.VERB [ARG...]", "call and show the answer; an argument is text, :=JSON is JSON"},
    {":send AGENT.VERB [ARG...]", "the same without an answer"},
    {":stop AGENT", "stop it in order; its supervisor leaves it stopped"},
    {":kill AGENT", "end it at once; its supervisor heals it"},
    {":inspect AGENT", "state, mailbox, calls both ways, coroutines with their stacks, memory"},
    {":suspend AGENT", "let it stand still; its mail waits"},
    {":resume AGENT", "let it go on"},
    {":state AGENT [:=JSON]", "show what it keeps, or put something else there"},
    {":trace AGENT [COUNT [SECONDS]]", "show its next messages; * stands for any text"},
    {":reload AGENT", "swap its code for what its file holds now; its state stays"},
    {":reload plugin NAME", "load a copy of a plugin; what runs keeps the old code"},
    {":reload app", "read the app's file again and merge its tree into the one that runs"},
    {":children [SUPERVISOR]", "the children of one supervisor, in start order"},
    {":count [SUPERVISOR]", "how many there are"},
    {":spec AGENT", "how its supervisor starts, restarts and stops it"},
    {":exits AGENT", "its last ends, newest first, with their reasons"},
    {":start SUPERVISOR FILE [ID]", "start one more child, a permanent one"},
    {":restart AGENT", "start one that is stopped"},
    {":delete AGENT", "forget one that is stopped"},
    {":tail [N]", "the last events: starts, ends, crashes, dead letters"},
    {":help [WORD]", "this, `errors`, a module or a function"},
    {":quit", "leave"},
};

/// `plugin` in a usage stands for itself, `AGENT` for some agent.
bool is_literal(std::string_view word) {
  return std::islower(static_cast<unsigned char>(word.front())) != 0;
}

std::string all_commands() {
  std::ostringstream out;
  std::size_t width = 0;
  for (const auto& c : commands)
    width = std::max(width, std::string_view(c.usage).size());
  for (const auto& c : commands)
    out << c.usage << std::string(width + 2 - std::string_view(c.usage).size(), ' ') << c.text
        << "\n";
  out << "Everything else is Lua: troupe.call(\"agent\", \"verb\"), llm, tool, json, async ... are "
         "there.\n";
  return out.str();
}

std::string all_errors() {
  std::string out;
#define TROUPE_X(name, text) out += #name ": " text "\n";
  TROUPE_ERROR_CODES(TROUPE_X)
#undef TROUPE_X
  return out;
}

}  // namespace

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& c : commands) {
    std::string name(c.usage);
    name.resize(std::min(name.size(), name.find(' ')));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

result<void> check_command(const std::string& name) {
  const auto all = command_names();
  if (std::find(all.begin(), all.end(), name) != all.end()) return ok();
  const auto near = nearest(name, {all.begin(), all.end()});
  return {errc::not_found,
          "there is no command " + name +
              (near.empty() ? "; see :help" : ": did you mean " + std::string(near) + "?")};
}

std::vector<std::string> next_words(std::string_view command,
                                    const std::vector<std::string>& given) {
  std::vector<std::string> next;
  for (const auto& c : commands) {
    std::istringstream usage(c.usage);
    std::vector<std::string> words;
    for (std::string word; usage >> word;) {
      std::erase_if(word, [](char letter) { return letter == '[' || letter == ']'; });
      words.push_back(std::move(word));
    }
    if (words.front() != command || given.size() + 1 >= words.size()) continue;
    const auto fits = [](const std::string& typed, const std::string& in_usage) {
      return !is_literal(in_usage) || typed == in_usage;
    };
    if (std::equal(given.begin(), given.end(), words.begin() + 1, fits))
      next.push_back(words[given.size() + 1]);
  }
  return next;
}

std::vector<std::string> help_words() {
  constexpr std::string_view library = "troupe.";
  std::vector<std::string> words = {"errors"};
  for (const auto& name : command_names())
    words.push_back(name.substr(1));
  for (const auto& [name, doc] : read_stubs()) {
    words.push_back(name);
    if (const std::string_view rest(name); rest.starts_with(library))
      words.emplace_back(rest.substr(library.size()));
  }
  return words;
}

result<std::string> help(const std::string& about) {
  if (about.empty()) return all_commands();
  if (about == "errors") return all_errors();
  for (const auto& c : commands) {
    const std::string_view usage(c.usage);
    if (usage.substr(1, usage.find(' ') - 1) == about || usage.substr(0, usage.find(' ')) == about)
      return std::string(usage) + "\n" + c.text;
  }
  const auto docs = read_stubs();
  for (const auto& name : {about, "troupe." + about})
    if (auto found = docs.find(name); found != docs.end())
      return found->second.signature + "\n" + found->second.comment;
  std::string list;
  for (const auto& [name, doc] : docs)
    if (name.starts_with(about + ".") || name.starts_with("troupe." + about + "."))
      list += doc.signature + "\n";
  if (!list.empty()) return list;
  const auto words = help_words();
  std::vector<std::string_view> names(words.begin(), words.end());
  const auto asked = std::string_view(about).substr(about.starts_with(':') ? 1 : 0);
  if (const auto near = nearest(asked, names); !near.empty())
    return error(errc::not_found,
                 "no help for \"" + about + "\": did you mean \"" + std::string(near) + "\"?");
  return error(errc::not_found, "no help for \"" + about +
                                    "\"; :help lists the commands, :help troupe the functions");
}

}  // namespace troupe::cli
