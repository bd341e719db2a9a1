#include "weft/program/program.hpp"

namespace weft::program {

int exit_code_of(const Error& error) noexcept {
  if (error.is(codes::bad_usage)) return exit_code::usage;
  if (error.is(codes::missing_secret)) return exit_code::config;
  if (error.is(codes::io_failed) || error.is(codes::disk_full) || error.is(codes::store_failed))
    return exit_code::cannot_create;
  return facts(error.kind).exit_code;
}

}  // namespace weft::program
