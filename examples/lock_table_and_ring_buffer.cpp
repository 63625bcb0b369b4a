// An audio effect's memory: a lookup table and a ring buffer that exist already, locked in place,
// so that the callback which reads and writes them makes no page fault.
#include <resident/fault_counter.hpp>
#include <resident/page_lock.hpp>
#include <resident/prepare.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <iostream>
#include <memory>
#include <span>

namespace {

constexpr std::size_t table_size = 65536;
constexpr std::size_t buffer_size = 131072; // samples; a power of two
constexpr std::size_t block = 64;           // samples a callback

struct echo {
    std::array<float, table_size> curve{}; // soft clipping
    std::array<float, buffer_size> delayed{};
    std::size_t position = 0;

    void process(std::span<float, block> samples) noexcept {
        for (float& sample : samples) {
            const float mixed = sample + 0.5F * delayed[position];
            const auto index = static_cast<std::size_t>((mixed + 2.0F) / 4.0F * (table_size - 1));
            sample = curve[index % table_size];
            delayed[position] = sample;
            position = (position + 1) % buffer_size;
        }
    }
};

} // namespace

int main() {
    const auto effect = std::make_unique<echo>();
    for (std::size_t index = 0; index < table_size; ++index)
        effect->curve[index] = std::tanh(4.0F * static_cast<float>(index) / table_size - 2.0F);

    const resident::page_lock table{std::span(effect->curve)};
    // Its first page is the table's last one: each of the two keeps it.
    const resident::page_lock ring{std::span(effect->delayed)};
    // The code and the stack must be there as well.
    (void)resident::prepare_process();
    (void)resident::prepare_this_thread();

    std::array<float, block> samples{};
    const resident::fault_counter counter;
    for (std::size_t callback = 0; callback < buffer_size / block; ++callback)
        effect->process(samples);
    const auto faults = counter.count();

    std::cout << "callbacks " << buffer_size / block << ", faults " << faults.minor << " minor, "
              << faults.major << " major\n";
    return faults == resident::faults{} ? 0 : 2;
}
