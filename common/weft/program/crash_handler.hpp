// What a process that crashes leaves behind: a record in the file that its supervisor has named. docs/protocol.md
// describes the record. Private to program.
#pragma once
#include <exception>
#include <string>

namespace weft::program {

/// False in builds with a sanitizer, whose own report is better: they install no handler.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kHandlesCrashes = false;
#elif defined(__has_feature)
inline constexpr bool kHandlesCrashes = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) &&
                                        !__has_feature(undefined_behavior_sanitizer);
#else
inline constexpr bool kHandlesCrashes = true;
#endif

/// Handles SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT, and notes an exception that ends the process. When a signal
/// comes the record is written, and then the signal does what it does by default: the exit status and a core file are
/// as without it. A process forked from this one writes nothing. Call once, before there are other threads; their own
/// AlternateStack lets them record a stack overflow. No effect when `file` cannot be opened.
void install_crash_handler(const std::string& file);

/// Writes a record without a signal: `failure` is about to end the process in an orderly way. No effect without a
/// handler.
void record_exception(const std::exception_ptr& failure) noexcept;

}  // namespace weft::program
