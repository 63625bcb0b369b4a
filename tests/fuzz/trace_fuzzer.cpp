// Concerns: that no file, however it came about, makes the reader crash, hang or take memory, and
// that what can be sealed is read again, with the same events.
// Plan: an input that begins as a trace does is one; any other stands for the blocks of one that
// has not been sealed, so that the search need not find the way past the checksums.

#include "trace/block_index.hpp"
#include "trace/reader.hpp"
#include "trace/record_decoder.hpp"
#include "trace/seal.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace resident::trace {
namespace {

/// In memory, if there is a file system for that.
std::string scratch() {
    const std::string name = "/trace-fuzzer-" + std::to_string(::getpid());
    const std::string shared = "/dev/shm" + name;
    return std::ofstream(shared) ? shared : "/tmp" + name;
}

struct scratch_file {
    std::string path = scratch();
    ~scratch_file() { ::unlink(path.c_str()); }
};

std::uint32_t records_in(std::span<const unsigned char> bytes, std::uint64_t first_number) {
    record_decoder decoder(first_number);
    std::uint32_t records = 0;
    record what;
    for (std::size_t taken = 0;
         (taken = decoder.decode(bytes, what)) != 0 && what.kind != record_kind::end; ++records)
        bytes = bytes.subspan(taken);
    return records;
}

/// Of each block: its thread, its first number, how long its records are, and these. Returns: the
/// file that they stand for.
std::vector<unsigned char> expand(std::span<const unsigned char> input) {
    file_header header;
    header.magic = file_magic;
    header.byte_order = byte_order_mark;
    header.version = format_version;
    header.header_bytes = file_header_bytes;
    header.process = 1;
    std::vector<unsigned char> file(sizeof header);
    std::memcpy(file.data(), &header, sizeof header);
    while (input.size() >= 3 && file.size() < 16 * block_unit) { // more would only be slower
        const std::size_t length = std::min<std::size_t>(input[2], input.size() - 3);
        block_header block{.magic = block_magic,
                           .thread = input[0],
                           .block_bytes = block_unit,
                           .first_number = input[1],
                           .records = records_in(input.subspan(3, length), input[1])};
        const std::size_t at = file.size();
        file.resize(at + block_unit);
        std::memcpy(file.data() + at, &block, sizeof block);
        std::memcpy(file.data() + at + sizeof block, input.data() + 3, length);
        input = input.subspan(3 + length);
    }
    return file;
}

void write(const std::string& path, std::span<const unsigned char> bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

/// Returns: the events, or -1 at an error. `hash` is over all their fields.
long long read_all(const std::string& path, std::uint64_t& hash) {
    auto opened = reader::open(path);
    auto* const read = std::get_if<0>(&opened);
    if (read == nullptr)
        return -1;
    long long events = 0;
    for (event each; read->next(each); ++events)
        for (const std::uint64_t field :
             {std::uint64_t(each.kind), std::uint64_t{each.thread}, each.sequence, each.address,
              each.old_address, each.size, each.alignment})
            hash = (hash ^ field) * 0x100000001B3;
    return read->error() ? -1 : events;
}

void require(bool holds, const char* what) {
    if (holds)
        return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

bool says_it_is_sealed(std::span<const unsigned char> bytes) {
    file_header header;
    std::memcpy(&header, bytes.data(), std::min(sizeof header, bytes.size()));
    return header.sealed != 0;
}

void try_file(std::span<const unsigned char> bytes) {
    static const scratch_file scratch;
    write(scratch.path, bytes);
    std::uint64_t before = 0;
    const long long events = read_all(scratch.path, before);
    if (seal(scratch.path, process_end::exited, 0))
        return;
    // One that is sealed is left as it is. That may be forged: the search guesses checksums from
    // the comparison with the right ones.
    require(events >= 0 || says_it_is_sealed(bytes), "what cannot be read was sealed");
    std::uint64_t after = 0;
    require(read_all(scratch.path, after) == events && before == after,
            "a sealed trace has other events than before");
}

} // namespace
} // namespace resident::trace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace resident::trace;
    const std::span<const unsigned char> input(data, size);
    // A whole file begins as one does; anything else stands for blocks.
    const bool is_file =
        size >= file_magic.size() && std::memcmp(data, file_magic.data(), file_magic.size()) == 0;
    if (is_file)
        try_file(input);
    else
        try_file(expand(input));
    return 0;
}
