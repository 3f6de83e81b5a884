-- SPDX-License-Identifier: Apache-2.0
-- The sample log: 20 000 lines of syslog, the same each time, with 40 lines that are no syslog and one that
-- is not even UTF-8.
local LINES, NOT_UTF8 = 20000, 8812

local programs = {
  { "sshd", { "Accepted publickey for deploy from 203.0.113.%d port %d", "Failed password for root from 198.51.100.%d port %d" } },
  { "kernel", { "eth0: link up, %d Mbps (%d)", "Out of memory: killed process %d (score %d)" } },
  { "nginx", { "worker process %d exited with code %d", "upstream %d timed out after %d ms" } },
  { "postgres", { "checkpoint complete: wrote %d buffers in %d ms", "ERROR: deadlock detected (%d waits for %d)" } },
  { "cron", { "(root) CMD (run-parts hourly %d of %d)" } },
  { "systemd", { "Started unit %d of session %d.", "unit %d failed with result exit-code %d" } },
  { "dhclient", { "DHCPACK of 192.0.2.%d renewed in %d seconds" } },
}

-- A small generator of our own, so that the log is the same on every machine.
local function random(seed)
  local x = seed
  return function(n)
    x = (x * 1103515245 + 12345) & 0x7fffffff
    return (x >> 8) % n + 1
  end
end

-- An iterator over pieces of about 100 kB, each of whole lines.
local function pieces()
  local pick = random(7)
  local number = 0
  return function()
    if number >= LINES then return nil end
    local lines = {}
    while number < LINES and #lines < 1000 do
      number = number + 1
      local program = programs[pick(#programs)]
      local text = program[2][pick(8) == 1 and #program[2] or 1]
      local line = string.format("Nov 20 %02d:%02d:%02d host1 %s[%d]: " .. text,
        number // 3600 % 24, number // 60 % 60, number % 60, program[1], pick(30000), pick(250), pick(60000))
      if number == NOT_UTF8 then
        line = "Nov 20 02:26:52 host1 sshd[811]: Invalid user \xff\xfe from 198.51.100.7"
      elseif number % 500 == 250 then
        line = "-- torn line " .. number
      end
      lines[#lines + 1] = line
    end
    return table.concat(lines, "\n") .. "\n"
  end
end

return { pieces = pieces, lines = LINES }
