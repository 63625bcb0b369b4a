/// Memory that this process shares with a child that it starts.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace resident::os {

/// A mapped memfd: zero when created, and gone with its last user, however that one ends.
class shared_memory {
public:
    /// Fails, with why in `reason`, if and only if the kernel refuses. `bytes` is not 0.
    static std::optional<shared_memory> create(const char* name, std::size_t bytes,
                                               std::string& reason);
    /// Maps what another process created, and closes `descriptor`. Fails likewise.
    static std::optional<shared_memory> open(int descriptor, std::string& reason);

    shared_memory(shared_memory&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)),
          descriptor_(std::exchange(other.descriptor_, -1)) {}
    shared_memory& operator=(shared_memory&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~shared_memory();

    [[nodiscard]] void* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// To hand to a child; -1 where it was opened.
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

private:
    shared_memory(void* data, std::size_t size, int descriptor)
        : data_(data), size_(size), descriptor_(descriptor) {}

    void* data_;
    std::size_t size_;
    int descriptor_;
};

} // namespace resident::os
