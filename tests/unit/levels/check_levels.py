"""Checks that every folder of daemon/ includes only its own level or lower ones.

The order of levels is that of the add_subdirectory() lines in daemon/CMakeLists.txt, lowest first. What lies outside
(sockets, files, messages) is allowed to the levels named below only. Prints each violation as FILE:LINE: what; exits 1
if there is one.
"""
import pathlib
import re
import sys

# Headers from outside, by pattern, and the folders that may include them.
OUTSIDE = [
    (r"zmq\.hpp", {"shell"}),
    (r"zmq\.h", {"keys"}),  # makes and reads keys; opens nothing
    (r"restinio/.*", {"program", "shell"}),  # program: what the HTTP servers of several programs share
    (r"(asio|prometheus)[./].*", {"shell"}),
    (r"reachd/v1/.*|google/protobuf/(?!stubs/logging).*", {"wire", "replica", "shell"}),
    (r"google/protobuf/stubs/logging.*", {"program"}),  # its complaints are log lines like all others
    (r"toml\+\+/.*|date/.*", {"settings"}),
    (r"spdlog/.*|CLI/.*", {"program", "shell"}),
    (r"(thread|mutex|condition_variable|atomic|future)", {"log", "shell", "settings"}),
    (r"(unistd|fcntl|poll|csignal|sys/.*)(\.h)?", {"program", "keys", "log", "shell"}),
    (r"(fstream|filesystem)", {"keys", "log", "settings", "shell"}),
    (r"clients/.*|tests/.*", set()),
]
PURE = {"base", "staffing", "core"}  # time is an argument there
CLOCK = re.compile(r"(system_clock|steady_clock|high_resolution_clock)::now|\btime\(nullptr\)|gettimeofday|random_device")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def levels_of(cmake_text):
    return re.findall(r"^add_subdirectory\((\w+)\)", cmake_text, re.M)


def violations(levels, folder, text):
    """Yields (line number, what is wrong) for one file of `folder`."""
    rank = {name: i for i, name in enumerate(levels)}
    for number, line in enumerate(text.splitlines(), 1):
        if folder in PURE and CLOCK.search(line.split("//")[0]):
            yield number, f"{folder} reads a clock or a random source; both come in as arguments"
        match = INCLUDE.match(line)
        if not match:
            continue
        header = match.group(1)
        ours = re.fullmatch(r"daemon/(\w+)/.*", header)
        if ours:
            other = ours.group(1)
            if other not in rank:
                yield number, f"daemon/{other} is no level of daemon/CMakeLists.txt"
            elif rank[other] > rank[folder]:
                yield number, f"{folder} includes {header}, a higher level"
            continue
        for pattern, allowed in OUTSIDE:
            if re.fullmatch(pattern, header) and folder not in allowed:
                yield number, f"{folder} may not include {header}; {', '.join(sorted(allowed)) or 'no level'} may"


def self_test():
    levels = levels_of("# x\nadd_subdirectory(base)  # time\nadd_subdirectory(core)\nadd_subdirectory(shell)\n")
    assert levels == ["base", "core", "shell"], levels
    assert not list(violations(levels, "core", '#include "daemon/base/time.hpp"\n#include "daemon/core/event.hpp"\n'))
    assert list(violations(levels, "core", '\n#include "daemon/shell/daemon.hpp"\n'))[0][0] == 2
    assert list(violations(levels, "core", "#include <zmq.hpp>\n"))
    assert list(violations(levels, "core", "auto t = std::chrono::system_clock::now();\n"))
    assert not list(violations(levels, "core", "using Clock = std::chrono::system_clock;\n"))
    assert list(violations(levels, "shell", '#include "clients/library/query.hpp"\n'))


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    root = pathlib.Path(sys.argv[1])
    levels = levels_of((root / "daemon/CMakeLists.txt").read_text())
    found = 0
    files = 0
    for folder in levels:
        for path in sorted((root / "daemon" / folder).rglob("*.[ch]pp")):
            files += 1
            for number, what in violations(levels, folder, path.read_text()):
                print(f"{path.relative_to(root)}:{number}: {what}")
                found += 1
    unlisted = {p.name for p in (root / "daemon").iterdir() if p.is_dir()} - set(levels)
    for name in sorted(unlisted):
        print(f"daemon/{name}: not in daemon/CMakeLists.txt")
    print(f"{files} files in {len(levels)} levels, {found} violations")
    return 1 if found or unlisted or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
