// Concerns: text never overruns its buffer and is always terminated; sizes read well and exactly.
// Plan: every buffer length from 1 up for one text; the boundaries of the units.
#include "os/text.hpp"
#include "resident/error.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace {

using resident::os::text_builder;

std::string size_text(std::size_t bytes) {
    std::array<char, 100> buffer{};
    return std::string(text_builder(buffer).size(bytes).view());
}

std::string short_size_text(std::size_t bytes) {
    std::array<char, 100> buffer{};
    return std::string(text_builder(buffer).short_size(bytes).view());
}

TEST(text_builder, cuts_what_does_not_fit) {
    const std::string whole = "abc 18446744073709551615 xyz 8 KiB (8192 bytes)";
    for (std::size_t room = 1; room <= whole.size() + 2; ++room) {
        std::vector<char> buffer(room + 1, '#');
        text_builder text({buffer.data(), room});
        text << "abc " << ~std::uint64_t{0};
        text.print(" %s ", "xyz").size(8192);
        EXPECT_EQ(text.view(), whole.substr(0, room - 1));
        EXPECT_EQ(std::strlen(buffer.data()), text.view().size());
        EXPECT_EQ(buffer[room], '#') << "wrote past a buffer of " << room;
    }
}

TEST(text_builder, says_sizes_with_unit_and_exactly) {
    EXPECT_EQ(size_text(0), "0 bytes");
    EXPECT_EQ(size_text(1023), "1023 bytes");
    EXPECT_EQ(size_text(1024), "1 KiB (1024 bytes)");
    EXPECT_EQ(size_text(8U << 20U), "8 MiB (8388608 bytes)");
    EXPECT_EQ(size_text(8600000), "8.2 MiB (8600000 bytes)");
    EXPECT_EQ(size_text(resident::unlimited), "unlimited");
    EXPECT_EQ(short_size_text(std::size_t{3} << 40U), "3 TiB");
    EXPECT_EQ(short_size_text((std::size_t{1} << 30U) - 1), "1023.9 MiB");
    EXPECT_EQ(short_size_text(resident::unlimited - 1), "16777215.9 TiB");
}

TEST(error_names, are_known_for_what_the_kernel_answers) {
    EXPECT_STREQ(resident::os::error_name(ENOMEM), "ENOMEM");
    EXPECT_STREQ(resident::os::error_description(ENOMEM), "Cannot allocate memory");
    EXPECT_EQ(resident::os::error_name(12345), nullptr);
    EXPECT_EQ(resident::os::error_description(12345), nullptr);
}

} // namespace
