#include "weft/program/program.hpp"

namespace weft::program {

int exit_code_of(const Error& error) noexcept {
  if (error.is(codes::bad_usage)) return exit_code::usage;
  if (error.is(codes::missing_secret)) return exit_code::config;
  if (error.is(codes::io_failed) || error.is(codes::disk_full) || error.is(codes::store_failed))
    return exit_code::cannot_create;
  switch (error.kind) {
    case ErrorKind::invalid:
      return exit_code::config;
    case ErrorKind::denied:
      return exit_code::denied;
    case ErrorKind::unavailable:
    case ErrorKind::disconnected:
      return exit_code::unavailable;
    case ErrorKind::overloaded:
    case ErrorKind::timeout:
      return exit_code::temporary;
    case ErrorKind::internal:
      return exit_code::internal;
    case ErrorKind::not_found:
    case ErrorKind::duplicate:
    case ErrorKind::cancelled:
      break;
  }
  return exit_code::failed;
}

}  // namespace weft::program
