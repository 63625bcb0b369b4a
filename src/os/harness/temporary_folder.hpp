/// A folder for a short while.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace resident::os {

/// Removed with its content when the object is destroyed, unless it is to stay. All may read it,
/// and only its owner may write to it.
class temporary_folder {
public:
    /// In `place`. Fails, with why in `reason`, if and only if it cannot be made.
    static std::optional<temporary_folder> create(const std::string& place, std::string& reason);

    ~temporary_folder();
    temporary_folder(temporary_folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    temporary_folder& operator=(temporary_folder&& other) noexcept {
        std::swap(path_, other.path_);
        return *this;
    }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Who still needs the folder outlives this process.
    void stay() noexcept { path_.clear(); }

private:
    explicit temporary_folder(std::string path) : path_(std::move(path)) {}

    std::string path_;
};

} // namespace resident::os
