/// What the file of a program says of it.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <elf.h>

namespace resident::tool {

/// A script, or an ELF file of 64 bits. What cannot be read is not said.
class program_file {
public:
    explicit program_file(const std::string& path);

    [[nodiscard]] bool is_elf() const noexcept { return is_elf_; }
    /// Of an ELF file: whether it is for the processor that this program runs on.
    [[nodiscard]] bool is_for_this_machine() const;
    /// Of an ELF file: the loader that it asks for is what preloads; without it nothing can.
    [[nodiscard]] bool is_static();
    /// Of an ELF file: whether it has a function of this name, to be found by the loader or not.
    [[nodiscard]] bool defines(std::string_view name);
    /// The program that a script names in its first line; empty if it is no script.
    [[nodiscard]] std::string interpreter();

private:
    template <class Part>
    bool read_at(std::uint64_t offset, Part& part);
    bool section_at(std::uint64_t at, Elf64_Shdr& section);
    template <class Part>
    std::vector<Part> read_section(const Elf64_Shdr& section);
    bool defines(const Elf64_Shdr& symbols, std::string_view name);

    std::ifstream file_;
    Elf64_Ehdr header_{};
    bool is_elf_ = false;
};

} // namespace resident::tool
