#include "recorder/trace_names.hpp"

#include "os/harness/recording_system.hpp"

#include <cstdlib>
#include <cstring>

namespace resident::recorder {
namespace {

/// printf may allocate.
char* put_number(char* to, std::uint64_t value) noexcept {
    std::array<char, 20> digits{};
    std::size_t count = 0;
    do {
        digits[count++] = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count != 0)
        *to++ = digits[--count];
    return to;
}

} // namespace

bool trace_names::read_environment() noexcept {
    const char* const named = std::getenv(file_variable);
    if (named == nullptr || named[0] != '/')
        return false;
    const std::size_t length = std::strlen(named);
    if (length >= first_.size())
        return false;
    std::memcpy(first_.data(), named, length + 1);
    first_length_ = length;
    return true;
}

const char* trace_names::of(std::uint64_t process, unsigned image) noexcept {
    std::memcpy(own_.data(), first_.data(), first_length_);
    char* to = own_.data() + first_length_;
    *to++ = '.';
    to = put_number(to, process);
    if (image > 1) {
        *to++ = '.';
        to = put_number(to, image);
    }
    *to = '\0';
    return own_.data();
}

void trace_names::complain(int error_number) noexcept {
    std::array<char, 4096 + 256> text{};
    char* to = text.data();
    const auto put = [&to](const char* words) {
        const std::size_t length = std::strlen(words);
        std::memcpy(to, words, length); // NOLINT(bugprone-not-null-terminated-result): more follows
        to += length;
    };
    put("resident record: this process is not recorded: ");
    put(own_.data());
    put(": ");
    const char* const why = ::strerrordesc_np(error_number);
    put(why != nullptr ? why : "it cannot be made");
    put("\n");
    os::complain(text.data(), static_cast<std::size_t>(to - text.data()));
}

} // namespace resident::recorder
