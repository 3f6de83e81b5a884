-- SPDX-License-Identifier: Apache-2.0
-- Counts and groups the lines of a log with a pool of agents, and asks a model for a paragraph on it.
--
--   troupe run triage.lua [LOGFILE]        without LOGFILE: a sample of 20 000 lines that it makes itself
--
-- The report's path goes to stdout, everything else to stderr.

local has_endpoint = env_is_set("OPENAI_API_KEY") or env_is_set("OPENAI_BASE_URL")
local sample = cwd("triage-sample.log")

return {
  name = "triage",
  options = {
    log = arg(1) and cwd(arg(1)) or sample,
    makes_sample = not arg(1),
    report = cwd("report.md"),
    members = 8,
    model = has_endpoint and env("OPENAI_MODEL", "gpt-4o-mini") or "scripted (no OPENAI_API_KEY or OPENAI_BASE_URL)",
    scripted = not has_endpoint,
  },
  models = {
    default = has_endpoint and {
      provider = "openai",
      model = env("OPENAI_MODEL", "gpt-4o-mini"),
      base_url = env("OPENAI_BASE_URL", "https://api.openai.com/v1"),
      api_key = env("OPENAI_API_KEY", ""),
      max_tokens = 200,
    } or { provider = "scripted", file = "replies.json" },
  },
  grants = {
    llm = { "default" },
    tools = { "file.read", "file.write" },
    read = { option("log") },
    write = { option("report"), sample },
    call = { "members" },
  },
  budget = { tokens = 20000 },
  tree = {
    strategy = "one_for_one", intensity = 10, period = 10,
    children = {
      { id = "members", start = "member.lua", pool = { size = option("members"), queue = 100 } },
      {
        id = "boss", start = "boss.lua", restart = "temporary",
        options = {
          log = option("log"), makes_sample = option("makes_sample"), report = option("report"),
          members = option("members"), model = option("model"), scripted = option("scripted"),
        },
      },
    },
  },
  main = "boss.run",
}
