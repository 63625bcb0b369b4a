#include "os/harness/shared_memory.hpp"

#include <cerrno>
#include <cstring>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace resident::os {
namespace {

void* map_shared(int descriptor, std::size_t bytes, std::string& reason) {
    void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (data != MAP_FAILED)
        return data;
    reason = std::string("cannot map shared memory: ") + std::strerror(errno);
    return nullptr;
}

} // namespace

std::optional<shared_memory> shared_memory::create(const char* name, std::size_t bytes,
                                                   std::string& reason) {
    const int descriptor = ::memfd_create(name, MFD_CLOEXEC);
    if (descriptor < 0 || ::ftruncate(descriptor, static_cast<off_t>(bytes)) != 0) {
        reason = std::string("cannot make shared memory: ") + std::strerror(errno);
        if (descriptor >= 0)
            ::close(descriptor);
        return std::nullopt;
    }
    void* data = map_shared(descriptor, bytes, reason);
    if (data == nullptr) {
        ::close(descriptor);
        return std::nullopt;
    }
    return shared_memory(data, bytes, descriptor);
}

std::optional<shared_memory> shared_memory::open(int descriptor, std::string& reason) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) {
        reason = std::string("no shared memory was handed over: ") + std::strerror(errno);
        return std::nullopt;
    }
    const auto bytes = static_cast<std::size_t>(status.st_size);
    void* data = map_shared(descriptor, bytes, reason);
    ::close(descriptor);
    if (data == nullptr)
        return std::nullopt;
    return shared_memory(data, bytes, -1);
}

shared_memory::~shared_memory() {
    if (data_ != nullptr)
        ::munmap(data_, size_);
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

} // namespace resident::os
