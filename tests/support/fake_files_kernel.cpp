#include "support/fake_files_kernel.hpp"

#include <algorithm>
#include <cerrno>

namespace resident::test {

using os::outcome;

namespace {
constexpr int first_descriptor = 1 << 20; // far above what the real kernel hands out
}

void fake_files_kernel::serve(const std::string& path, const std::string& content) {
    const std::lock_guard guard(mutex_);
    files_[path] = content;
}

void fake_files_kernel::hide(const std::string& path, int error_number) {
    const std::lock_guard guard(mutex_);
    hidden_[path] = error_number;
}

void fake_files_kernel::set_memory_limit(std::uint64_t soft, std::uint64_t hard) {
    memory_limit_ = rlimit{soft, hard};
}

outcome fake_files_kernel::open_file(const char* path) noexcept {
    {
        const std::lock_guard guard(mutex_);
        const std::string wanted(path);
        if (const auto file = files_.find(wanted); file != files_.end()) {
            descriptors_.push_back({file->second});
            return outcome::success(first_descriptor + descriptors_.size() - 1);
        }
        for (const auto& [hidden, error_number] : hidden_) {
            const bool below = wanted.rfind(hidden + '/', 0) == 0;
            if (below || wanted == hidden)
                return outcome::failure(error_number);
        }
    }
    return kernel::open_file(path);
}

fake_files_kernel::open_description* fake_files_kernel::find(int descriptor) {
    const int index = descriptor - first_descriptor;
    if (index < 0 || static_cast<std::size_t>(index) >= descriptors_.size())
        return nullptr;
    return &descriptors_[static_cast<std::size_t>(index)];
}

outcome fake_files_kernel::copy(const open_description& file, std::size_t from,
                                std::span<char> buffer) const {
    if (!file.open)
        return outcome::failure(EBADF);
    from = std::min(from, file.content.size());
    std::size_t length = std::min(buffer.size(), file.content.size() - from);
    if (bytes_a_read_ != 0)
        length = std::min(length, bytes_a_read_);
    std::copy_n(file.content.data() + from, length, buffer.data());
    return outcome::success(length);
}

outcome fake_files_kernel::read_file(int descriptor, std::span<char> buffer) noexcept {
    {
        const std::lock_guard guard(mutex_);
        if (open_description* file = find(descriptor)) {
            const outcome answer = copy(*file, file->position, buffer);
            if (answer)
                file->position += answer.value();
            return answer;
        }
    }
    return kernel::read_file(descriptor, buffer);
}

outcome fake_files_kernel::read_file_at(int descriptor, std::span<char> buffer,
                                        off_t offset) noexcept {
    {
        const std::lock_guard guard(mutex_);
        if (const open_description* file = find(descriptor)) {
            return copy(*file, static_cast<std::size_t>(offset), buffer);
        }
    }
    return kernel::read_file_at(descriptor, buffer, offset);
}

outcome fake_files_kernel::close_file(int descriptor) noexcept {
    {
        const std::lock_guard guard(mutex_);
        if (open_description* file = find(descriptor)) {
            if (!file->open)
                return outcome::failure(EBADF);
            file->open = false;
            return outcome::success();
        }
    }
    return kernel::close_file(descriptor);
}

outcome fake_files_kernel::get_limit(int resource, rlimit& limit) noexcept {
    if (resource != RLIMIT_MEMLOCK || !memory_limit_)
        return kernel::get_limit(resource, limit);
    limit = *memory_limit_;
    return outcome::success();
}

outcome fake_files_kernel::set_limit(int resource, const rlimit& limit) noexcept {
    if (resource != RLIMIT_MEMLOCK || !memory_limit_)
        return kernel::set_limit(resource, limit);
    if (limit.rlim_cur > limit.rlim_max)
        return outcome::failure(EINVAL);
    if (limit.rlim_max > memory_limit_->rlim_max)
        return outcome::failure(EPERM);
    memory_limit_ = limit;
    return outcome::success();
}

outcome fake_files_kernel::effective_capabilities() noexcept {
    return capabilities_ ? outcome::success(*capabilities_) : kernel::effective_capabilities();
}

} // namespace resident::test
