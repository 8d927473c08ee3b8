#include "json.h"

#include <cstdio>

namespace caisson {

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (char byte : text) {
    char escape[8];
    if (byte == '"' || byte == '\\') json.append(1, '\\').append(1, byte);
    else if (static_cast<unsigned char>(byte) >= 0x20) json += byte;
    else json.append(escape, static_cast<size_t>(snprintf(escape, sizeof escape, "\\u%04x", byte)));
  }
  return json += '"';
}

std::string json_of(const Failure& failure) {
  std::string json = R"({"step":)" + quoted(failure.section) + R"(,"index":)" + std::to_string(failure.index);
  json += R"(,"syscall":)" + quoted(failure.syscall) + R"(,"errno":)" + std::to_string(failure.error);
  if (!failure.path.empty()) json += R"(,"path":)" + quoted(failure.path);
  return json += '}';
}

}  // namespace caisson
