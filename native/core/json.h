// JSON text of what is told to TypeScript through files and pipes.
#pragma once

#include <string>
#include <string_view>

#include "result.h"

namespace caisson {

// As a JSON string. Bytes that are no UTF-8 stay: whoever reads it replaces them.
std::string quoted(std::string_view text);

// SystemFailure of src/errors.ts.
std::string json_of(const Failure& failure);

}  // namespace caisson
