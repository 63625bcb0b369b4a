/// Which lengths of free runs share a list. Arithmetic only.
#pragma once

#include "arena/granule_record.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// 32 classes per doubling of the length; those of the lengths below 64 hold one length each.
/// Each has a list, whose head is at a place of its own: see run_allocator.
struct run_classes {
    static constexpr unsigned subclass_bits = 5;
    static constexpr unsigned subclasses = 1U << subclass_bits;
    static constexpr std::uint32_t max_length = run_links::length_bits;
    static constexpr std::uint32_t count = 31 * subclasses;

    static constexpr std::uint32_t class_of(std::uint32_t length) noexcept {
        return digits_of(length, subclass_bits) - digits_of(1, subclass_bits) + subclasses;
    }
    /// The first class of which no run is shorter: the one behind the class of wanted - 1/2.
    static constexpr std::uint32_t class_fitting(std::uint32_t wanted) noexcept {
        return digits_of(2 * wanted - 1, subclass_bits) - digits_of(2, subclass_bits) + subclasses +
               1;
    }

    static constexpr std::uint32_t head_units = 2; ///< from one head to the next
    static constexpr std::size_t head_of(std::uint32_t list) noexcept {
        return std::size_t{head_units} * list;
    }
    /// head_of(class_of(length)), with no step between.
    static constexpr std::size_t head_for(std::uint32_t length) noexcept {
        const std::uint32_t base = digits_of(1, subclass_bits + 1) - head_units * subclasses;
        return (digits_of(length, subclass_bits + 1) & ~(head_units - 1)) - base;
    }

private:
    /// Exponent and leading digits, one number: what a double has in its upper bits. Half the
    /// instructions of finding the highest bit, and exact: a double holds every length.
    static constexpr std::uint32_t digits_of(std::uint32_t value, unsigned digits) noexcept {
        constexpr unsigned mantissa_bits = 52;
        const auto exact = static_cast<double>(static_cast<std::int32_t>(value));
        return static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(exact) >>
                                          (mantissa_bits - digits));
    }
};
static_assert(0 < run_classes::class_fitting(1));
static_assert(run_classes::class_fitting(1) <= run_classes::class_of(1));
static_assert(run_classes::class_of(run_classes::max_length) < run_classes::count);
static_assert(run_classes::class_fitting(run_classes::max_length) == run_classes::count);
static_assert(run_classes::head_for(33) == run_classes::head_of(run_classes::class_of(33)));

} // namespace resident::detail
