/// Running the tool as its user does: as a program, judged by what it prints and leaves behind.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident::test {

struct tool_result {
    int exit_code = -1; ///< -1 if a signal ended it
    int signal = 0;
    std::string output;
    std::string diagnostics;
};

#if defined(RESIDENT_TOOL)
inline constexpr const char* tool_program = RESIDENT_TOOL;
#else
inline constexpr const char* tool_program = ""; // a room that names its own
#endif

struct tool_options {
    std::string program = tool_program;
    bool ordinary_user = false; ///< without privileges, memlock 8 MiB; needs root
    std::string folder = "/";   ///< to run in
    std::string output_to{};    ///< file that standard output goes to instead of `output`
    std::vector<std::string> environment{}; ///< "NAME=value", added
};

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline bool is_root() { return ::geteuid() == 0; }

/// A tool that runs; ended when the object is.
class running_tool {
public:
    explicit running_tool(std::vector<std::string> arguments, const tool_options& options = {})
        : output_(::memfd_create("output", MFD_CLOEXEC)),
          diagnostics_(::memfd_create("diagnostics", MFD_CLOEXEC)) {
        arguments.insert(arguments.begin(), "resident");
        // Opened here: the ordinary user may not be able to reach the build folder.
        const int program = ::open(options.program.c_str(), O_RDONLY | O_CLOEXEC);
        process_ = ::fork();
        if (process_ == 0)
            become_tool(program, arguments, options);
        ::close(program);
    }
    ~running_tool() {
        if (process_ > 0) {
            ::kill(process_, SIGKILL);
            ::waitpid(process_, nullptr, 0);
        }
        ::close(output_);
        ::close(diagnostics_);
    }
    running_tool(const running_tool&) = delete;
    running_tool& operator=(const running_tool&) = delete;

    [[nodiscard]] pid_t id() const noexcept { return process_; }
    void send(int signal) const { ::kill(process_, signal); }

    tool_result wait() {
        int status = 0;
        ::waitpid(process_, &status, 0);
        process_ = 0;
        tool_result result;
        if (WIFEXITED(status))
            result.exit_code = WEXITSTATUS(status);
        if (WIFSIGNALED(status))
            result.signal = WTERMSIG(status);
        result.output = content_of(output_);
        result.diagnostics = content_of(diagnostics_);
        return result;
    }

private:
    static std::string content_of(int descriptor) {
        return read_text("/proc/self/fd/" + std::to_string(descriptor));
    }

    [[noreturn]] void become_tool(int program, std::vector<std::string>& arguments,
                                  const tool_options& options) const {
        constexpr uid_t nobody = 65534;
        int output = output_;
        if (!options.output_to.empty()) {
            output = ::open(options.output_to.c_str(), O_WRONLY | O_CLOEXEC);
        }
        ::dup2(output, STDOUT_FILENO);
        ::dup2(diagnostics_, STDERR_FILENO);
        if (::chdir(options.folder.c_str()) != 0)
            ::_exit(120);
        if (options.ordinary_user) {
            const rlimit eight_mebibytes{8U << 20, 8U << 20};
            const bool changed = ::setrlimit(RLIMIT_MEMLOCK, &eight_mebibytes) == 0 &&
                                 ::setgroups(0, nullptr) == 0 && ::setgid(nobody) == 0 &&
                                 ::setuid(nobody) == 0;
            if (!changed)
                ::_exit(121);
        }
        for (const char* variable : {"NO_COLOR", "LC_ALL", "LC_CTYPE"})
            ::unsetenv(variable);
        ::setenv("LANG", "C.UTF-8", 1);
        for (const std::string& setting : options.environment) {
            const std::size_t equals = setting.find('=');
            ::setenv(setting.substr(0, equals).c_str(), setting.substr(equals + 1).c_str(), 1);
        }
        std::vector<char*> words;
        for (std::string& argument : arguments)
            words.push_back(argument.data());
        words.push_back(nullptr);
        ::fexecve(program, words.data(), environ);
        ::_exit(122);
    }

    pid_t process_ = 0;
    int output_;
    int diagnostics_;
};

inline tool_result run_tool(std::vector<std::string> arguments, const tool_options& options = {}) {
    return running_tool(std::move(arguments), options).wait();
}

/// A folder of its own for each test, writable by all, removed with its content.
class scratch_folder {
public:
    scratch_folder() {
        std::string pattern = std::filesystem::temp_directory_path() / "resident-test-XXXXXX";
        path_ = ::mkdtemp(pattern.data());
        ::chmod(path_.c_str(), 0777);
    }
    ~scratch_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    [[nodiscard]] std::string path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
    void write(const std::string& name, const std::string& content) const {
        std::ofstream(file(name), std::ios::binary) << content;
    }
    /// Names below it; links are not followed.
    [[nodiscard]] std::set<std::string> content() const {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
            names.insert(entry.path().lexically_relative(path_));
        }
        return names;
    }

private:
    std::string path_;
};

/// The longest line in columns; UTF-8 continuation bytes take none.
inline std::size_t widest_line(const std::string& text) {
    std::istringstream lines(text);
    std::string line;
    std::size_t widest = 0;
    while (std::getline(lines, line)) {
        const auto columns = std::count_if(line.begin(), line.end(),
                                           [](char byte) { return (byte & '\xc0') != '\x80'; });
        widest = std::max(widest, static_cast<std::size_t>(columns));
    }
    return widest;
}

} // namespace resident::test
