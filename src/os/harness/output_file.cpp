#include "os/harness/output_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace resident::os {
namespace {

/// A name beside `path`, in the same folder and so on the same file system.
std::string temporary_name(const std::string& path) {
    return path + ".part-" + std::to_string(::getpid());
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// The file that `path` leads to: renaming onto a link would replace the link.
std::string follow_links(const std::string& path) {
    char* resolved = ::realpath(path.c_str(), nullptr);
    if (resolved == nullptr)
        return path;
    std::string target = resolved;
    ::free(resolved); // NOLINT(cppcoreguidelines-no-malloc): realpath's way
    return target;
}

/// What is there that must not be replaced; empty if nothing is.
std::string obstacle(const std::string& path) {
    struct stat there {};
    if (::stat(path.c_str(), &there) != 0) {
        if (errno != ENOENT)
            return std::strerror(errno);
        return ::lstat(path.c_str(), &there) == 0 ? "it is a link to a file that is missing"
                                                  : std::string();
    }
    if (S_ISREG(there.st_mode)) {
        return ::access(path.c_str(), W_OK) == 0 ? std::string() : std::strerror(errno);
    }
    return S_ISDIR(there.st_mode) ? "it is a folder" : "it is a device, a pipe or a socket";
}

bool write_all(int descriptor, const std::string& content) {
    std::size_t done = 0;
    while (done < content.size()) {
        const ssize_t count = ::write(descriptor, content.data() + done, content.size() - done);
        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0)
            done += static_cast<std::size_t>(count);
    }
    return true;
}

bool create_temporary(const std::string& path, const std::string& content, std::string& reason) {
    const std::string temporary = temporary_name(path);
    const int descriptor =
        ::open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0) {
        reason = folder_of(path) + ": " + std::strerror(errno);
        return false;
    }
    bool written = write_all(descriptor, content);
    if (!written)
        reason = path + ": " + std::strerror(errno);
    if (::close(descriptor) != 0 && written) {
        reason = path + ": " + std::strerror(errno);
        written = false;
    }
    if (!written)
        ::unlink(temporary.c_str());
    return written;
}

} // namespace

bool output_file::usable(const std::string& path, std::string& reason) {
    const std::string remedy = "; name a file in a folder that you can write to";
    if (path.empty()) {
        reason = "the path is empty" + remedy;
        return false;
    }
    const std::string in_the_way = path.back() == '/' ? "it is a folder" : obstacle(path);
    if (!in_the_way.empty()) {
        reason = path + ": " + in_the_way + remedy;
        return false;
    }
    const std::string target = follow_links(path);
    if (!create_temporary(target, {}, reason)) {
        reason = "cannot write " + path + " (" + reason + ")" + remedy;
        return false;
    }
    ::unlink(temporary_name(target).c_str());
    return true;
}

bool output_file::write(const std::string& path, const std::string& content, std::string& reason) {
    const std::string target = follow_links(path);
    if (!create_temporary(target, content, reason)) {
        reason = "cannot write " + path + " (" + reason + ")";
        return false;
    }
    if (::rename(temporary_name(target).c_str(), target.c_str()) == 0)
        return true;
    reason = "cannot write " + path + ": " + std::strerror(errno);
    ::unlink(temporary_name(target).c_str());
    return false;
}

bool make_folder(const std::string& path, bool& made, std::string& reason) {
    made = ::mkdir(path.c_str(), 0755) == 0;
    if (!made && errno != EEXIST) {
        reason = path + ": " + std::strerror(errno);
    } else if (::access(path.c_str(), W_OK | X_OK) != 0) {
        reason = path + ": " + std::strerror(errno);
    } else {
        return true;
    }
    reason = "cannot write into the folder " + reason + "; name another with --output";
    return false;
}

} // namespace resident::os
