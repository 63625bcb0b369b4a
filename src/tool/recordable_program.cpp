#include "tool/recordable_program.hpp"

#include "os/harness/foreground_process.hpp"
#include "tool/demo_setup.hpp"

#include <fmt/core.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <elf.h>

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

template <class Part>
bool read_at(std::ifstream& file, std::uint64_t offset, Part& part) {
    file.seekg(static_cast<std::streamoff>(offset));
    file.read(reinterpret_cast<char*>(&part), sizeof part);
    return file.gcount() == sizeof part;
}

/// The loader that an ELF file asks for is what preloads; without it nothing can.
bool is_static(std::ifstream& file, const Elf64_Ehdr& header) {
    for (unsigned at = 0; at < header.e_phnum; ++at) {
        Elf64_Phdr segment{};
        if (!read_at(file, header.e_phoff + std::uint64_t{at} * header.e_phentsize, segment))
            return false;
        if (segment.p_type == PT_INTERP)
            return false;
    }
    return true;
}

/// The program that a script names in its first line; empty if it is no script.
std::string interpreter_of(std::ifstream& file) {
    file.clear();
    file.seekg(0);
    std::string line;
    std::getline(file, line);
    if (!line.starts_with("#!"))
        return {};
    std::istringstream words(line.substr(2));
    std::string program;
    words >> program;
    return program;
}

void refuse_unrecordable(const std::string& program, int scripts_left) {
    std::ifstream file(program, std::ios::binary);
    Elf64_Ehdr header{};
    const bool is_elf =
        read_at(file, 0, header) &&
        std::memcmp(static_cast<unsigned char*>(header.e_ident), ELFMAG, SELFMAG) == 0;
    if (os::gains_privileges(program))
        throw usage_error(fmt::format("{} gains privileges as it starts (set-user-ID or the like), "
                                      "and nothing can be loaded into it; record it as the user "
                                      "whose rights it has",
                                      program));
    if (!is_elf) {
        const std::string interpreter = interpreter_of(file);
        if (!interpreter.empty() && scripts_left > 0 && fs::exists(interpreter))
            refuse_unrecordable(interpreter, scripts_left - 1);
        return;
    }
    Elf64_Ehdr own{};
    std::ifstream myself("/proc/self/exe", std::ios::binary);
    if (read_at(myself, 0, own) &&
        (own.e_machine != header.e_machine || own.e_ident[EI_CLASS] != header.e_ident[EI_CLASS]))
        throw usage_error(fmt::format("{} is for another kind of processor than this command, and "
                                      "the recorder cannot be loaded into it",
                                      program));
    if (is_static(file, header))
        throw usage_error(fmt::format("{} is linked statically: there is no loader to load the "
                                      "recorder into it; link it without -static",
                                      program));
}

} // namespace

std::string find_recordable(const std::string& name) {
    const std::string program = find(name);
    refuse_unrecordable(program, 4);
    return program;
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
