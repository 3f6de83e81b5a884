# SPDX-License-Identifier: Apache-2.0
"""The examples as a newcomer runs them: from an installed prefix, without a network."""
import re
import shutil
import zlib

from support import Failed, case, equal, main


@case
def hello_greets(t):
    hello = t.examples / "hello/hello.lua"
    equal(t.troupe("run", hello, "World").exits(0).out, "Hello, World!\n")
    equal(t.troupe("run", hello, "--set", "greeting=Moin", "Husum").exits(0).out, "Moin, Husum!\n")
    t.troupe("run", hello, "").refused("failed: a name, please")


@case
def chat_streams_an_answer_that_needed_its_tool(t):
    chat = t.examples / "chat/chat.lua"
    ran = t.troupe("run", chat, "tides in Husum?").exits(0).says(r'uses tides \{"port":"Husum"\}')
    equal(ran.out, "High water in Husum is at 00:48 and at 13:13.\n")
    t.troupe("run", chat, "tides in London?").exits(0).prints("no tide table for that port")
    usage = t.troupe("shell", chat, stdin='troupe.call("chat", "say", "Husum?")\ntroupe.call("chat", "status").input > 0\n')
    equal(usage.exits(0).out, '"High water in Husum is at 00:48 and at 13:13."\ntrue\n')


@case
def supervision_crashes_and_heals(t):
    ran = t.troupe("run", t.examples / "supervision/supervision.lua").exits(0)
    equal(ran.out, """\
counter       crashed; started anew: counter
desk/writer   crashed; started anew: desk/writer, desk/editor
ward/patient  crashed; started anew: ward/patient
ward/patient  crashed; started anew: ward/patient
starts: counter 2, desk/writer 2, desk/editor 2, ward/patient 3; all of them answer
""")
    ran.says(r"^\d\d:\d\d:\d\d counter crashed: part\.lua:\d+: as it was told; restarted in .* ms, 1 of 5$")
    ran.says(r"ward crashed: shutdown: more than 1 restart in 10 s; the last of ward/patient; restarted in")


def built(t, example, plugin):
    """Builds an example as its README says; what its library exports is checked."""
    folder = t.folder / example
    shutil.copytree(t.examples / example, folder)
    t.command("cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={t.prefix}").exits(0)
    t.command("cmake", "--build", folder / "build").exits(0)
    symbols = t.command("nm", "-D", "--defined-only", folder / f"build/plugins/{plugin}/{plugin}.so").exits(0).out
    if not re.fullmatch(r"[0-9a-f]+ D troupe_plugin\n", symbols):
        raise Failed(f"it exports {symbols}")
    t.troupe("check", folder / "app.lua").exits(0).prints("nothing wrong")
    t.troupe("plugin", "check", folder / f"build/plugins/{plugin}").exits(0).prints(f"{plugin} .* loads")
    return folder / "app.lua"


@case
def plugin_c_answers_in_the_node_in_a_process_and_as_a_tool(t):
    app = built(t, "plugin-c", "checksum")
    told = "in the node {0:08x}, in a process {0:08x}, by the tool {0:08x}\n"
    equal(t.troupe("run", app).exits(0).out, told.format(zlib.crc32(b"let it crash")))
    equal(t.troupe("run", app, "a", "bc").exits(0).out, told.format(zlib.crc32(b"abc")))


@case
def plugin_cpp_answers_in_the_node_in_a_process_and_as_a_tool(t):
    app = built(t, "plugin-cpp", "primes")
    equal(t.troupe("run", app).exits(0).out,
          "here: 168 primes up to 1000\napart: 168 primes up to 1000\nfactors: 2 2 2 5 5 5\n")
    t.troupe("run", app, "5000").exits(0).prints(r"^here: bad_argument: count: expected 0 to 1000").prints("^apart: 669 primes")


@case
def plugins_that_are_not_built_are_named(t):
    for example in "plugin-c", "plugin-cpp":
        t.troupe("run", t.examples / example / "app.lua").refused(f"{example}: plugins: .* is no plugin")


@case
def each_example_has_a_readme_whose_commands_are_real(t):
    for folder in sorted(path for path in t.examples.iterdir() if path.is_dir()):
        readme = folder / "README.md"
        if not readme.exists():
            raise Failed(f"{folder.name} has no README.md")
        for file in re.findall(r"^\$ troupe (?:run|shell) (\S+\.lua)", readme.read_text(), re.M):
            if not (folder / file).exists():
                raise Failed(f"{folder.name}: its README.md runs {file}, which is not there")


main()
