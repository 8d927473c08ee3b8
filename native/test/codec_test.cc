#include "../core/codec.h"

#include <errno.h>

#include "../core/launch_plan.h"
#include "harness.h"

namespace caisson {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kUndoMagic = 0x55445343;

Bytes number(uint32_t value) {
  Bytes bytes(sizeof value);
  memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes text(std::string_view content) { return number(static_cast<uint32_t>(content.size())) + Bytes(content.begin(), content.end()); }

Bytes header(uint32_t version = kPlanVersion) { return number(kUndoMagic) + number(version); }

// An undo list with one step: scope, kind, path, data.
Bytes one_step(uint8_t scope, uint8_t kind, const Bytes& path) {
  return header() + text("0123456789ab") + number(1) + Bytes{scope, kind} + path + number(0);
}

const char* mistake_in(const Bytes& file, std::string& path) {
  Result<UndoList> decoded = decode_undo_list(file);
  path = decoded ? "" : decoded.failure().path;
  return path.c_str();
}

}  // namespace

void codec_tests(Tests& tests) {
  std::string path;
  auto mistake = [&](const Bytes& file) { return std::string(mistake_in(file, path)); };

  tests.test("a well-formed list decodes to its values", [&] {
    Result<UndoList> list = decode_undo_list(one_step(1, 3, text("/run/x")));
    EXPECT(tests, list);
    if (!list) return;
    EXPECT(tests, list.value().id == "0123456789ab");
    EXPECT(tests, list.value().steps.size() == 1);
    EXPECT(tests, list.value().steps[0].scope == UndoScope::remove);
    EXPECT(tests, list.value().steps[0].kind == UndoKind::rmdir);
    EXPECT(tests, list.value().steps[0].path == "/run/x");
  });
  tests.test("every truncation is refused", [&] {
    Bytes whole = one_step(0, 0, text("/run/x"));
    for (size_t size = 0; size < whole.size(); size++) {
      EXPECT(tests, !decode_undo_list(std::span(whole).first(size)));
    }
  });
  tests.test("bytes after the end are refused", [&] {
    EXPECT(tests, mistake(one_step(0, 0, text("/x")) + Bytes{0}) == "trailing bytes");
  });
  tests.test("another version is refused by name", [&] {
    Result<UndoList> decoded = decode_undo_list(header(kPlanVersion + 1) + text("") + number(0));
    EXPECT(tests, !decoded && decoded.failure().error == EPROTONOSUPPORT && decoded.failure().path == "version");
  });
  tests.test("another kind of file is refused", [&] {
    Bytes file = header() + text("") + number(0);
    EXPECT(tests, decode_undo_list(file));
    EXPECT(tests, !decode_exec_plan(file));
  });
  tests.test("an enum value that nobody knows is refused", [&] {
    EXPECT(tests, mistake(one_step(2, 0, text("/x"))) == "UndoStep.scope");
    EXPECT(tests, mistake(one_step(0, 7, text("/x"))) == "UndoStep.kind");
  });
  tests.test("a NUL inside text is refused", [&] {
    EXPECT(tests, mistake(one_step(0, 0, text(std::string_view("/a\0b", 4)))) == "UndoStep.path");
  });
  tests.test("a text longer than its limit is refused, though it is all there", [&] {
    EXPECT(tests, mistake(one_step(0, 0, text(std::string(kMaxText, 'a')))) == "");
    EXPECT(tests, mistake(one_step(0, 0, text(std::string(kMaxText + 1, 'a')))) == "UndoStep.path");
  });
  tests.test("a count that the remaining bytes cannot hold is refused before anything is allocated", [&] {
    EXPECT(tests, mistake(header() + text("") + number(60000)) == "UndoList.steps");
    EXPECT(tests, mistake(header() + text("") + number(0xffffffff)) == "UndoList.steps");
  });
}

}  // namespace caisson
