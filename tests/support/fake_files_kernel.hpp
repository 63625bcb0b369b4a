/// The real kernel with some files, limits and privileges of one's own making.
#pragma once

#include "os/kernel.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace resident::test {

/// Serves chosen paths from strings; everything else falls through to the real kernel.
/// Put it in force with os::kernel_replacement, or as the target of a failing_kernel.
class fake_files_kernel : public os::kernel {
public:
    /// Opening `path` finds `content`; the content as it is when the file is opened.
    void serve(const std::string& path, const std::string& content);
    /// Opening `path`, or anything below it, fails with `error_number`.
    void hide(const std::string& path, int error_number = 2 /* ENOENT */);
    /// At most this many bytes a read, as the kernel likes to do with /proc files; 0: no such
    /// limit.
    void limit_reads(std::size_t bytes) { bytes_a_read_ = bytes; }

    /// RLIMIT_MEMLOCK as told; set_limit then changes this alone, raising the hard limit is EPERM.
    void set_memory_limit(std::uint64_t soft, std::uint64_t hard);
    /// Effective capabilities as told: bit 14 is CAP_IPC_LOCK.
    void set_capabilities(std::uint64_t set) { capabilities_ = set; }

    os::outcome open_file(const char* path) noexcept override;
    os::outcome read_file(int descriptor, std::span<char> buffer) noexcept override;
    os::outcome read_file_at(int descriptor, std::span<char> buffer,
                             off_t offset) noexcept override;
    os::outcome close_file(int descriptor) noexcept override;
    os::outcome get_limit(int resource, rlimit& limit) noexcept override;
    os::outcome set_limit(int resource, const rlimit& limit) noexcept override;
    os::outcome effective_capabilities() noexcept override;

private:
    struct open_description {
        std::string content;
        std::size_t position = 0;
        bool open = true;
    };
    open_description* find(int descriptor);
    os::outcome copy(const open_description& file, std::size_t from, std::span<char> buffer) const;

    std::mutex mutex_;
    std::map<std::string, std::string> files_;
    std::map<std::string, int> hidden_;
    std::vector<open_description> descriptors_;
    std::size_t bytes_a_read_ = 0;
    std::optional<rlimit> memory_limit_;
    std::optional<std::uint64_t> capabilities_;
};

} // namespace resident::test
