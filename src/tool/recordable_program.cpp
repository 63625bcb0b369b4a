#include "tool/recordable_program.hpp"

#include "os/harness/foreground_process.hpp"
#include "tool/demo_setup.hpp"
#include "tool/program_file.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

namespace resident::tool {
namespace {

namespace fs = std::filesystem;

bool is_program(const fs::path& path) {
    std::error_code failure;
    const fs::file_status there = fs::status(path, failure);
    constexpr fs::perms any =
        fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
    return fs::is_regular_file(there) && (there.permissions() & any) != fs::perms::none;
}

std::string find(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        if (!fs::exists(name))
            throw usage_error(fmt::format("there is no program {}", name));
        if (!is_program(name))
            throw usage_error(fmt::format("{} is not a program: chmod +x makes a file one", name));
        return name;
    }
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        const fs::path found = fs::path(folder.empty() ? "." : folder) / name;
        if (is_program(found))
            return found.string();
    }
    throw usage_error(fmt::format("there is no program {} along PATH; name its path", name));
}

/// The program itself, or behind the first lines of scripts what runs it.
std::string behind_scripts(const std::string& program, int scripts_left = 4) {
    program_file file(program);
    if (file.is_elf())
        return program;
    const std::string interpreter = file.interpreter();
    return !interpreter.empty() && scripts_left > 0 && fs::exists(interpreter)
               ? behind_scripts(interpreter, scripts_left - 1)
               : program;
}

void refuse_privileged(const std::string& program) {
    if (os::gains_privileges(program))
        throw usage_error(fmt::format("{} gains privileges as it starts (set-user-ID or the like), "
                                      "and nothing can be loaded into it; record it as the user "
                                      "whose rights it has",
                                      program));
}

void refuse_unrecordable(const std::string& program) {
    program_file file(program);
    if (!file.is_elf()) {
        std::error_code failure;
        if (const std::string runs_it = file.interpreter();
            !runs_it.empty() && !fs::exists(runs_it, failure))
            throw usage_error(fmt::format("{} is a script for {}, which is not there: correct its "
                                          "first line",
                                          program, runs_it));
        return;
    }
    if (!file.is_for_this_machine())
        throw usage_error(fmt::format("{} is for another kind of processor than this command, and "
                                      "the recorder cannot be loaded into it",
                                      program));
    if (file.is_static())
        throw usage_error(fmt::format("{} is linked statically: there is no loader to load the "
                                      "recorder into it; link it without -static",
                                      program));
}

} // namespace

std::string find_recordable(const std::string& name) {
    std::string program = find(name);
    const std::string binary = behind_scripts(program);
    refuse_privileged(binary);
    refuse_unrecordable(binary);
    return program;
}

bool brings_own_malloc(const std::string& program) {
    program_file file(behind_scripts(program));
    return file.is_elf() && file.defines("malloc");
}

std::string find_recorder() {
    constexpr const char* library = "libresident_record.so";
    std::error_code failure;
    const fs::path folder = fs::read_symlink("/proc/self/exe", failure).parent_path();
    const fs::path beside = folder / library;
    const fs::path installed = (folder / RESIDENT_RECORDER_FOLDER / library).lexically_normal();
    for (const fs::path& path : {beside, installed})
        if (fs::exists(path, failure))
            return path.string();
    throw std::runtime_error(fmt::format("the recorder is missing: it is neither {} nor {}; "
                                         "install resident as a whole",
                                         beside.string(), installed.string()));
}

} // namespace resident::tool
