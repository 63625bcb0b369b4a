/// A sysctl, or another one-line file of the kernel, changed for a while.
#pragma once

#include "os/harness/cleanup_guardian.hpp"

#include <memory>
#include <string>

namespace resident::os {

/// Writes one line. Returns: whether the kernel took it.
bool write_setting(const std::string& path, const std::string& value);

/// The old value comes back when it is destroyed, or when the process ends in any way.
class system_setting {
public:
    /// Returns null, and why in `reason`, if and only if the file cannot be read or written, or no
    /// guardian be started. Call while this process has one thread.
    static std::unique_ptr<system_setting> change(const std::string& path, const std::string& value,
                                                  std::string& reason);
    ~system_setting();
    system_setting(const system_setting&) = delete;
    system_setting& operator=(const system_setting&) = delete;

    /// What the kernel made of the value: less, perhaps, than was asked for.
    [[nodiscard]] std::string now() const;

private:
    system_setting(std::string path, std::unique_ptr<cleanup_guardian> guardian)
        : path_(std::move(path)), guardian_(std::move(guardian)) {}
    std::string path_;
    std::unique_ptr<cleanup_guardian> guardian_; ///< writes the old value
};

} // namespace resident::os
