// What was unpacked, as JavaScript sees it.
#pragma once

#include <string>
#include <vector>

#include "../archive/unpack.h"
#include "addon.h"

namespace caisson::addon {

std::vector<std::string> strings_from(Napi::Value array);
Napi::Object object_of(Napi::Env env, const Unpacked& unpacked);

}  // namespace caisson::addon
