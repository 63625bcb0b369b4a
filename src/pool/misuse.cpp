#include "resident/misuse.hpp"

#include "pool/misuse_report.hpp"

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace resident {

namespace {

/// stderr has no buffer of its own, and nothing is allocated: a line that fits is written at once.
void print_and_abort(const misuse& found) {
    std::fprintf(stderr, "%s\n", found.message);
    std::abort();
}

std::atomic<misuse_handler> current_handler{print_and_abort};

} // namespace

misuse_handler set_misuse_handler(misuse_handler handler) noexcept {
    return current_handler.exchange(handler != nullptr ? handler : print_and_abort);
}

const char* to_string(misuse_kind value) noexcept {
    switch (value) {
    case misuse_kind::foreign_pointer:
        return "foreign_pointer";
    case misuse_kind::misaligned_pointer:
        return "misaligned_pointer";
    case misuse_kind::wrong_size:
        return "wrong_size";
    case misuse_kind::double_free:
        return "double_free";
    case misuse_kind::corrupted_link:
        return "corrupted_link";
    case misuse_kind::overflow:
        return "overflow";
    case misuse_kind::underflow:
        return "underflow";
    case misuse_kind::use_after_free:
        return "use_after_free";
    case misuse_kind::leak:
        return "leak";
    }
    return "unknown misuse_kind";
}

namespace detail {

void misuse_text::add(const char* format, ...) noexcept {
    std::va_list arguments;
    va_start(arguments, format);
    add(format, arguments);
    va_end(arguments);
}

void misuse_text::add(const char* format, std::va_list arguments) noexcept {
    const std::size_t room = sizeof(text_) - length_;
    const int needed = std::vsnprintf(text_ + length_, room, format, arguments);
    if (needed > 0)
        length_ += std::min(static_cast<std::size_t>(needed), room - 1);
}

void add_call(misuse_text& text, const char* arena_name, const checked_call& call) noexcept {
    text.add("resident: pool on arena \"%s\": %s", arena_name, call.name);
    if (call.has_address)
        text.add("(%p%s", call.address, call.bytes != checked_call::not_told ? ", " : "");
    else if (call.bytes != checked_call::not_told)
        text.add("(");
    if (call.bytes != checked_call::not_told)
        text.add("%zu bytes", call.bytes);
    if (call.alignment > alignof(std::max_align_t))
        text.add(", alignment %zu", call.alignment);
    text.add(call.has_address || call.bytes != checked_call::not_told ? "): " : ": ");
}

void add_place(misuse_text& text, const block_place& where) noexcept {
    if (where.slab == nullptr)
        text.add("; the run at %p of %zu bytes", static_cast<const void*>(where.begin),
                 where.extent);
    else
        text.add("; block %u of the slab at %p of %zu-byte blocks", unsigned{where.number},
                 static_cast<const void*>(where.slab), where.extent);
}

void report_misuse(misuse_kind kind, const void* address, const block_place* where,
                   std::size_t bytes, const misuse_text& text) noexcept {
    misuse found{.kind = kind, .address = address, .bytes = bytes, .message = text.get()};
    if (where != nullptr) {
        found.slab = where->slab != nullptr ? where->slab : where->begin;
        found.block_size = where->slab != nullptr ? where->extent : 0;
    }
    current_handler.load()(found);
}

} // namespace detail

} // namespace resident
