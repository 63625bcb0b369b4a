#include "tool/program_file.hpp"

#include <cstring>
#include <sstream>

namespace resident::tool {

template <class Part>
bool program_file::read_at(std::uint64_t offset, Part& part) {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(reinterpret_cast<char*>(&part), sizeof part);
    return file_.gcount() == sizeof part;
}

program_file::program_file(const std::string& path) : file_(path, std::ios::binary) {
    is_elf_ = read_at(0, header_) &&
              std::memcmp(static_cast<unsigned char*>(header_.e_ident), ELFMAG, SELFMAG) == 0;
}

bool program_file::is_for_this_machine() const {
    const program_file own("/proc/self/exe");
    return !own.is_elf_ || (own.header_.e_machine == header_.e_machine &&
                            own.header_.e_ident[EI_CLASS] == header_.e_ident[EI_CLASS]);
}

bool program_file::is_static() {
    for (unsigned at = 0; at < header_.e_phnum; ++at) {
        Elf64_Phdr segment{};
        if (!read_at(header_.e_phoff + std::uint64_t{at} * header_.e_phentsize, segment))
            return false;
        if (segment.p_type == PT_INTERP)
            return false;
    }
    return true;
}

bool program_file::section_at(std::uint64_t at, Elf64_Shdr& section) {
    return at < header_.e_shnum && read_at(header_.e_shoff + at * header_.e_shentsize, section);
}

bool program_file::defines(std::string_view name) {
    for (unsigned at = 0; at < header_.e_shnum; ++at) {
        Elf64_Shdr section{};
        if (!section_at(at, section))
            return false;
        if ((section.sh_type == SHT_DYNSYM || section.sh_type == SHT_SYMTAB) &&
            defines(section, name))
            return true;
    }
    return false;
}

template <class Part>
std::vector<Part> program_file::read_section(const Elf64_Shdr& section) {
    constexpr std::uint64_t limit = std::uint64_t{256} << 20; // far above what there is
    std::vector<Part> parts(section.sh_size > limit ? 0 : section.sh_size / sizeof(Part));
    const auto bytes = static_cast<std::streamsize>(parts.size() * sizeof(Part));
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(section.sh_offset));
    file_.read(reinterpret_cast<char*>(parts.data()), bytes);
    if (file_.gcount() != bytes)
        parts.clear();
    return parts;
}

bool program_file::defines(const Elf64_Shdr& symbols, std::string_view name) {
    Elf64_Shdr section{};
    if (!section_at(symbols.sh_link, section))
        return false;
    std::vector<char> names = read_section<char>(section);
    names.push_back('\0'); // whatever is there
    for (const Elf64_Sym& symbol : read_section<Elf64_Sym>(symbols)) {
        const unsigned type = ELF64_ST_TYPE(symbol.st_info);
        if (symbol.st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_GNU_IFUNC) &&
            symbol.st_name < names.size() && names.data() + symbol.st_name == name)
            return true;
    }
    return false;
}

std::string program_file::interpreter() {
    file_.clear();
    file_.seekg(0);
    std::string line;
    std::getline(file_, line);
    if (!line.starts_with("#!"))
        return {};
    std::istringstream words(line.substr(2));
    std::string program;
    words >> program;
    return program;
}

} // namespace resident::tool
