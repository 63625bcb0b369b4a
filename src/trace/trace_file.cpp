#include "trace/trace_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace resident::trace {

std::optional<trace_file> trace_file::open(const std::string& path, access wanted,
                                           std::string& reason) {
    std::error_code failure;
    std::uint64_t bytes = 0;
    if (wanted != access::create) {
        // Asked first: to open a pipe may wait for ever.
        if (std::filesystem::exists(path, failure) &&
            !std::filesystem::is_regular_file(path, failure)) {
            reason = "it is not a file";
            return std::nullopt;
        }
        bytes = std::filesystem::file_size(path, failure);
    }
    const char* const mode = wanted == access::read             ? "rbe"
                             : wanted == access::read_and_write ? "r+be"
                                                                : "w+be";
    std::FILE* const file = failure ? nullptr : std::fopen(path.c_str(), mode);
    if (file == nullptr) {
        reason = failure ? failure.message() : std::strerror(errno);
        return std::nullopt;
    }
    std::setvbuf(file, nullptr, _IONBF, 0); // pieces are large, and far from each other
    return trace_file(file, bytes);
}

std::size_t trace_file::read(std::uint64_t offset, void* to, std::size_t wanted) noexcept {
    if (offset >= bytes_ || ::fseeko(file_.get(), static_cast<off_t>(offset), SEEK_SET) != 0)
        return 0;
    return std::fread(to, 1, wanted, file_.get());
}

bool trace_file::write(std::uint64_t offset, const void* from, std::size_t bytes) noexcept {
    if (::fseeko(file_.get(), static_cast<off_t>(offset), SEEK_SET) != 0 ||
        std::fwrite(from, 1, bytes, file_.get()) != bytes)
        return false;
    if (offset + bytes > bytes_)
        bytes_ = offset + bytes;
    return true;
}

} // namespace resident::trace
