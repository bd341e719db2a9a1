// What a registry takes from an agent or from a peer: names, sizes and counts, so that one sender cannot fill
// everybody's memory or break everybody's parser. Pure.
#pragma once
#include "weft/wire/record.hpp"

namespace weft::registry {

inline constexpr std::size_t kMethodsMax = 512;
inline constexpr std::size_t kTopicsMax = 512;
inline constexpr std::size_t kTagsMax = 64;
inline constexpr std::size_t kTextMax = 512;             ///< bytes of summaries, tag values, health text, reasons
inline constexpr std::size_t kEndpointMax = 256;         ///< bytes
inline constexpr std::size_t kSlotMax = 160;             ///< bytes
inline constexpr std::size_t kWordMax = 128;             ///< bytes of version, key, hash
inline constexpr std::uint64_t kEpochMax = 0xffff'ffff;  ///< an envelope carries 32 bits of it
inline constexpr unsigned kClaimBits = 24;               ///< of a claim: starts made by one node; above: a time or more

/// Errors: `wrong_mesh`, `bad_name`, `bad_topic`, `bad_value`, `too_large`; each names the agent and the field.
Result<void> check_record(const wire::InstanceRecord& record, std::string_view mesh);
/// Only of who registers here: a record that another registry took is copied, whatever it speaks. Errors:
/// `wrong_version`, with both ranges.
Result<void> check_protocol(const wire::InstanceRecord& record);
/// Bytes that a record takes on the wire, rounded up: for limits, not for allocation.
std::size_t weight_of(const wire::InstanceRecord& record) noexcept;
/// What of it others may be told: at most kCircuitNewsMax of those whose names are names. The rest is left out and not
/// refused: nobody loses a lease by what it has to tell.
std::vector<wire::CircuitNews> fit_to_tell(std::vector<wire::CircuitNews> news);
/// At most kTextMax bytes, cut at a character.
std::string shortened(std::string text);

}  // namespace weft::registry
