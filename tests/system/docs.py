# SPDX-License-Identifier: Apache-2.0
"""What pages say is what the program does: sdk/docs/apps.md names every key, its examples and those of READMEs run."""
import json
import os
import pathlib
import re
import shlex

from support import Failed, case, equal, main

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "sdk/docs/apps.md").read_text()
AGENT = 'local troupe = require("troupe")\nreturn troupe.agent {}\n'
NOBODY = "zzzzzzzzzzzzzzzzzzzz"  # near to no key: the error then names all that there are


def section(title):
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    if not found:
        raise Failed(f"there is no section {title}")
    return found[1]


def rows(title, head):
    """The cells of a section's table whose first line begins so."""
    lines = section(title).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(f"| {head} |"))
    table = []
    for line in lines[at + 2:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return table


def code(cell):
    """What the cell holds as code."""
    return cell.strip("`")


def app(app="", tree="", child=""):
    """The app that the page begins with, and more in one place."""
    def more(text):
        return ", " + text if text else ""
    given = "" if app.startswith("tree =") else \
        ', tree = { children = { { id = "a", start = "a.lua"%s } }%s }' % (more(child), more(tree))
    return 'return { name = "x"%s%s }\n' % (given, more(app))


def why(t, **place):
    """Why `troupe check` refuses such an app, as `code: message`."""
    t.write("a.lua", AGENT)
    t.write("x.lua", app(**place))
    ran = t.troupe("check", "--json", "x.lua").exits(1)
    if ran.err:
        e = json.loads(ran.err)["error"]
    else:
        told = json.loads(ran.out)
        e = next(one["error"] for one in told["agents"] + told["problems"] if "error" in one)
    return (e["code"] + ": " + e["message"]).replace(f"{t.folder}/", "")


PLACES = {
    "App": dict(app="%s = 1"),
    "Tree": dict(tree="%s = 1"),
    "Child": dict(child="%s = 1"),
    "Pool": dict(child="pool = { %s = 1 }"),
    "Limits": dict(child="limits = { %s = 1 }"),
    "Grants": dict(child="grants = { %s = {} }"),
    "Budget": dict(child="budget = { %s = 1 }"),
}


def in_place(title, name):
    return {where: text % name for where, text in PLACES[title].items()}


@case
def the_page_names_every_key_and_no_other(t):
    for title in PLACES:
        said = why(t, **in_place(title, NOBODY))
        known = re.search(r": known are (.*)$", said)
        if not known:
            raise Failed(f"{title}: expected all known keys in: {said}")
        equal(sorted(code(row[0]) for row in rows(title, "key")), sorted(known[1].split(", ")), title)


@case
def what_the_page_calls_refused_is_refused(t):
    for key in re.findall(r"`(\w+)`", re.search(r"^(.*) are refused until", section("Child"), re.M)[1]):
        equal(why(t, **in_place("Child", key)).split(":")[0], "unsupported", key)
    for where, written, error in rows("Refused", "in"):
        equal(why(t, **{where: code(written)}), code(error), written)


@case
def the_page_names_every_function_of_an_app_file(t):
    source = (ROOT / "runtime/script/app_file.cpp").read_text()
    known = re.findall(r'\{"(\w+)", \w+\}', re.search(r"functions\[\] = \{(.*?)nullptr", source, re.S)[1])
    known.remove("require")  # says that the file is an agent's
    equal(sorted(re.match(r"`(\w+)\(", row[0])[1] for row in rows("Functions", "function")), sorted(known))


@case
def the_names_of_the_node_are_those_that_the_page_lists(t):
    line = next(row[3] for row in rows("Child", "key") if row[0] == "`id`")
    names = re.findall(r"`(\w+)`", line[line.index("At the top"):])
    equal(len(names), 7)
    for name in names:
        t.write("a.lua", AGENT)
        t.write("x.lua", 'return { name = "x", tree = { children = { { id = "%s", start = "a.lua" } } } }' % name)
        t.troupe("check", "x.lua").refused(f"child {name}: the node needs this name for itself")


@case
def the_examples_run(t):
    """Blocks become files of the name in their first line; `$` lines are run, what is below is what they say."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.M | re.S)
    for kind, text in blocks:
        if kind == "lua":
            t.write(re.match(r"-- (\S+)\n", text)[1], text)
        if kind == "json":
            t.write("replies.json", text)
    t.env["PATH"] = f"{t.program.parent}:{os.environ['PATH']}"
    apps = [re.match(r"-- (\S+)", text)[1] for kind, text in blocks if kind == "lua" and "\nreturn {" in text]
    equal(len(apps), 3)
    for name in apps:
        if name not in "".join(text for kind, text in blocks if kind == "console" and "check" in text):
            t.troupe("check", name).exits(0)
    asked = 0
    for kind, text in blocks:
        if kind != "console":
            continue
        for command, said in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", text, re.M):
            ran = t.command("sh", "-c", command)
            equal(ran.out + ran.err, said, command)
            asked += 1
    equal(asked, 4)


def steady(text):
    """Lines without what differs from run to run; who speaks first on which stream does as well."""
    for pattern, instead in ((r"\r\x1b\[K[^\n\r\x1b]*(?=\r\x1b\[K)", ""), (r"\r\x1b\[K", ""), (r"^\d\d:\d\d:\d\d", "TIME"),
                             (r"\b[\d.]+ ms", "N ms"), (r"^/.*/report\.md$", "FOLDER/report.md"), (r"\bmembers/\d", "members/N")):
        text = re.sub(pattern, instead, text, flags=re.M)
    return sorted(text.splitlines())


def samples(readme):
    """Each command of a README, and what stands below it."""
    for block in re.findall(r"^```\w*\n(.*?)^```", readme.read_text(), re.M | re.S):
        yield from re.findall(r"^\$ (.*)\n((?:[^$\n].*\n)*)", block, re.M)


@case
def the_readmes_show_what_is_printed(t):
    asked = 0
    for readme in (ROOT / "README.md", *sorted(t.examples.glob("*/README.md"))):
        for command, said in samples(readme):
            if command.startswith("./dev run "):
                words = ["run", "examples/triage/triage.lua"]
            elif command.startswith("troupe run ") and "plugin-" not in str(readme) and "/var/log" not in command:
                words = shlex.split(command)[1:]
            else:
                continue
            folder = t.prefix / "share/troupe" if readme.parent == ROOT else readme.parent
            words[1] = folder / words[1]
            ran = t.on_terminal(*words)
            equal(steady(ran.err + ran.out), steady(said), f"{readme}: {command}")
            asked += 1
    equal(asked, 7)


@case
def the_agent_in_the_readme_runs(t):
    text = re.search(r"^```lua\n(-- hello\.lua .*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)[1]
    t.write("hello.lua", text)
    words = re.match(r"-- hello\.lua +\./dev (.*)", text)[1].split()
    equal(t.troupe(*words).exits(0).out, "Hello, World!\n")


@case
def what_pages_link_to_is_there(t):
    for page in (*ROOT.glob("*.md"), *ROOT.glob("sdk/**/*.md"), *ROOT.glob("examples/**/*.md")):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            equal((page.parent / target).exists(), True, f"{page}: {target}")


main()
