/// A sysctl, or another one-line file of the kernel, changed for a while.
#pragma once

#include <memory>
#include <string>

namespace resident::os {

/// Writes the old value back when destroyed.
class system_setting {
public:
    /// Returns null, and why in `reason`, if and only if the file cannot be read or written.
    static std::unique_ptr<system_setting> change(const std::string& path, const std::string& value,
                                                  std::string& reason);
    ~system_setting();
    system_setting(const system_setting&) = delete;
    system_setting& operator=(const system_setting&) = delete;

    /// What the kernel made of the value: less, perhaps, than was asked for.
    [[nodiscard]] std::string now() const;

private:
    system_setting(std::string path, std::string old)
        : path_(std::move(path)), old_(std::move(old)) {}
    std::string path_;
    std::string old_;
};

} // namespace resident::os
