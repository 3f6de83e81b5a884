# SPDX-License-Identifier: Apache-2.0
"""The world outside: odd files as the log, places that take no report. Nothing is lost, each is told."""
import os
import re
import subprocess

from support import TERMINATE, Failed, Skip, case, equal, main


def triage(t, *words, **options):
    return t.troupe("run", t.examples / "triage/triage.lua", *words, **options)


def counts(ran):
    """The numbers of the last line."""
    found = re.search(r"^([\d ]+) lines?, ([\d ]+) malformed, ([\d ]+) groups?, ([\d ]+) restarts?, ([\d ]+) lost$",
                      ran.err, re.M)
    if not found:
        raise ran.wrong("expected the honest last line")
    lines, malformed, groups, restarts, lost = (int(n.replace(" ", "")) for n in found.groups())
    return {"lines": lines, "malformed": malformed, "groups": groups, "restarts": restarts, "lost": lost}


def report(t):
    return (t.folder / "report.md").read_text()


def row(t, name):
    found = re.search(rf"^\| {re.escape(name)} \| (.*) \|$", report(t), re.M)
    if not found:
        raise Failed(f"the report has no row {name}:\n{report(t)}")
    return found.group(1)


def grep(t, pattern, file):
    return int(t.command("grep", "-c", "-a", "-E", "--", pattern, file).out)


@case
def the_sample_is_counted_whole_and_a_member_heals(t):
    ran = triage(t).exits(0).prints(r"^/.*/report\.md$")
    equal(counts(ran), {"lines": 20000, "malformed": 41, "groups": 7, "restarts": 1, "lost": 0})
    ran.says(r"members/\d crashed: bad_line: line 8812 is not UTF-8 \(member\.lua:\d+\); restarted in")
    for program in "sshd", "cron", "postgres":
        # Line 8812, of sshd, is malformed.
        equal(int(row(t, program)) + (program == "sshd"), grep(t, rf"host1 {program}\[", "triage-sample.log"), program)


@case
def syslog_is_counted_as_grep_counts_it(t):
    lines = [f"Nov 20 09:{n // 60 % 60:02}:{n % 60:02} box {('sshd', 'cron', 'app')[n % 3]}[{n}]: message {n}" for n in range(5000)]
    t.write("a.log", "\n".join(lines + ["-- torn"]) + "\n")
    equal(counts(triage(t, "a.log").exits(0)), {"lines": 5001, "malformed": 1, "groups": 3, "restarts": 0, "lost": 0})
    equal(row(t, "format"), "syslog")
    for program in "sshd", "cron", "app":
        equal(int(row(t, program)), grep(t, rf" box {program}\[", "a.log"))


@case
def nginx_is_counted_as_grep_counts_it(t):
    lines = [f'203.0.113.{n % 250} - - [20/Nov/2026:09:14:{n % 60:02} +0000] "GET /{n} HTTP/1.1" '
             f'{(200, 404, 502, 200)[n % 4]} {n} "-" "curl"' for n in range(4001)]
    t.write("a.log", "\n".join(lines) + "\n")
    equal(counts(triage(t, "a.log").exits(0))["groups"], 3)
    equal(row(t, "format"), "nginx")
    for status in "200", "404", "502":
        equal(int(row(t, status)), grep(t, f'" {status} ', "a.log"))
    equal(int(row(t, "lines that tell of problems")), grep(t, '" 5[0-9][0-9] ', "a.log"))


@case
def json_lines_are_counted_as_grep_counts_them(t):
    lines = [f'{{"level":"{("info", "error", "debug")[n % 3]}","msg":"m {n}"}}' for n in range(3000)]
    t.write("a.log", "\n".join(lines + ['{"level":"info"']) + "\n")
    equal(counts(triage(t, "a.log").exits(0)), {"lines": 3001, "malformed": 1, "groups": 3, "restarts": 0, "lost": 0})
    equal(row(t, "format"), "json")
    for level in "error", "debug":
        equal(int(row(t, level)), grep(t, f'"level":"{level}"', "a.log"))


@case
def dpkgs_log_is_counted_as_grep_counts_it(t):
    states = ("status unpacked", "status half-configured", "status installed", "install", "upgrade")
    lines = [f"2026-11-20 09:14:{n % 60:02} {states[n % 5]} lib{n}:amd64 1.{n}" for n in range(2500)]
    t.write("a.log", "\n".join(lines) + "\n")
    equal(counts(triage(t, "a.log").exits(0))["malformed"], 0)
    equal(row(t, "format"), "dpkg")
    for state in states:
        equal(int(row(t, state)), grep(t, rf"^[0-9-]+ [0-9:]+ {state} ", "a.log"))


@case
def the_systems_own_logs_are_counted_as_grep_counts_them(t):
    log = "/var/log/dpkg.log"
    if not os.access(log, os.R_OK) or os.path.getsize(log) == 0:
        raise Skip(f"{log} is not there")
    equal(counts(triage(t, log).exits(0))["lines"], grep(t, "", log))
    equal(int(row(t, "status installed")), grep(t, " status installed ", log))


@case
def an_empty_file_is_a_report_of_no_lines(t):
    t.write("a.log", "")
    equal(counts(triage(t, "a.log").exits(0)), {"lines": 0, "malformed": 0, "groups": 0, "restarts": 0, "lost": 0})
    equal(row(t, "lines"), "0")


@case
def a_last_line_without_its_end_counts(t):
    t.write("a.log", "one\ntwo\nthree")
    equal(counts(triage(t, "a.log").exits(0))["lines"], 3)


@case
def a_file_that_is_not_there_is_named(t):
    triage(t, "no.log").refused(r"no\.log.*(no such file|No such file)")


@case
def a_folder_as_the_log_is_refused(t):
    (t.folder / "a.log").mkdir()
    triage(t, "a.log").refused(r"a\.log.*(directory|folder)")


@case
def a_fifo_as_the_log_is_refused_and_never_waited_for(t):
    os.mkfifo(t.folder / "a.log")
    triage(t, "a.log", limit=30).refused(r"a\.log.*(regular file|FIFO|pipe)")


@case
def a_line_of_a_hundred_megabytes_is_one_malformed_line(t):
    with open(t.folder / "a.log", "wb") as log:
        log.write(b"Nov 20 09:00:00 box a[1]: first\n")
        for _ in range(100):
            log.write(b"x" * 1_000_000)
        log.write(b"\nNov 20 09:00:02 box a[1]: last\n")
    ran = triage(t, "a.log", limit=120).exits(0)
    equal(counts(ran), {"lines": 3, "malformed": 1, "groups": 1, "restarts": 0, "lost": 0})
    if not re.search(r"^2$", report(t), re.M):
        raise Failed("the report does not name line 2")


@case
def nul_bytes_are_malformed_lines(t):
    t.write("a.log", b"Nov 20 09:00:00 box a[1]: x\n" * 10 + b"Nov 20 09:00:00 box a[1]: \0\0\n" + b"\0" * 5000 + b"\n")
    equal(counts(triage(t, "a.log").exits(0)), {"lines": 12, "malformed": 2, "groups": 1, "restarts": 0, "lost": 0})


@case
def a_folder_that_takes_no_report_is_named(t):
    t.write("a.log", "x\n")
    triage(t, "--set", "report=/proc/report.md", "a.log").exits(1).silent().says(r"/proc/report\.md")
    triage(t, "--set", f"report={t.folder}/no/report.md", "a.log").exits(1).silent().says(r"/no: No such file")


@case
def a_folder_that_is_read_only_is_named(t):
    if os.geteuid() == 0:
        raise Skip("root may write anywhere")
    t.write("a.log", "x\n")
    (t.folder / "out").mkdir(mode=0o555)
    triage(t, "--set", f"report={t.folder}/out/report.md", "a.log").exits(1).silent().says(r"out/report\.md.*ermission")


@case
def a_full_disk_is_told_and_leaves_no_half_report(t):
    small = t.folder / "small"
    small.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", small],
                                           capture_output=True).returncode != 0:
        raise Skip("only root may mount a small disk here")
    try:
        (small / "filler").write_bytes(b"x" * 4096)
        t.write("a.log", "x\n")
        triage(t, "--set", f"report={small}/report.md", "a.log").exits(1).silent().says(r"report\.md.*[Nn]o space")
        if (small / "report.md").exists() and (small / "report.md").stat().st_size > 0:
            raise Failed("half a report is left")
    finally:
        subprocess.run(["umount", small], check=True)


@case
def a_full_disk_behind_stdout_is_told(t):
    if not os.path.exists("/dev/full"):
        raise Skip("there is no /dev/full")
    with open("/dev/full", "w") as full:
        t.troupe("run", t.examples / "hello/hello.lua", "you", stdout=full).exits(1).says(r"No space")


@case
def a_signal_in_the_middle_ends_the_job_in_order(t):
    with open(t.folder / "a.log", "w") as log:
        for n in range(400_000):
            log.write(f"Nov 20 09:00:00 box a[{n}]: message\n")
    process = t.start("run", t.examples / "triage/triage.lua", "a.log")
    for line in process.stderr:
        if line.startswith("triage: "):
            break
    process.send_signal(TERMINATE)
    ran = t.ended(process)
    if ran.code not in (0, 143):  # 0: it was done before the signal came
        raise ran.wrong("expected 143")
    if ran.code == 143 and (t.folder / "report.md").exists():
        raise Failed("a job that was ended left a report")


main()
