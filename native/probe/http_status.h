// The status line of an HTTP response (RFC 9112 section 4).
#pragma once

#include <optional>
#include <string_view>

namespace caisson {

// Status of `response`, its first bytes as they came. None: not (yet) a whole status line of HTTP/1.
std::optional<int> http_status(std::string_view response);

}  // namespace caisson
