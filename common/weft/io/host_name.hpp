// Which names a request may give as its Host. Private to io.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace weft::io {

/// `host` is the field of a request: a name or an address, with or without a port; [v6]. True for what no web page of a
/// stranger can point at this host: addresses, localhost, names that public DNS does not know (without a dot, or under
/// .local), the name of this host, and `names`, of which "*" is any. An empty `host` (HTTP/1.0) is no browser's.
bool is_own_host(std::string_view host, const std::vector<std::string>& names);

}  // namespace weft::io
