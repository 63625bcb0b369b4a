// Concerns: that every input of the corpus passes, with any compiler.
// Plan: a main() in place of libFuzzer's; the arguments are files, or folders of files. The name
// of an input is printed before it runs, so that a crash says which one it was.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& named) {
    std::vector<std::filesystem::path> files;
    if (!std::filesystem::is_directory(named))
        return {named};
    for (const auto& entry : std::filesystem::directory_iterator(named))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

bool replay(const std::filesystem::path& file) {
    std::printf("%s\n", file.filename().c_str());
    std::fflush(stdout);
    std::ifstream stream(file, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
    if (bytes.empty())
        return false;
    LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    return true;
}

} // namespace

int main(int count, char** arguments) {
    unsigned replayed = 0;
    for (int argument = 1; argument < count; ++argument)
        for (const std::filesystem::path& file : files_of(arguments[argument])) {
            if (!replay(file))
                return 1;
            ++replayed;
        }
    std::printf("%u inputs replayed\n", replayed);
    return replayed != 0 ? 0 : 1;
}
