#include "copy.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

#include "../archive/unpack.h"
#include "../core/json.h"
#include "../core/sys.h"
#include "pack.h"
#include "place.h"

namespace caisson {

namespace {

constexpr int RESULT_FD = 3;
constexpr int FIRST_WORD = 8;

std::string left_out(const std::vector<std::string>& names, uint64_t count) {
  std::string json = R"({"skippedCount":)" + std::to_string(count) + R"(,"skipped":[)";
  for (size_t i = 0; i < names.size(); i++) json += (i > 0 ? "," : "") + quoted(names[i]);
  return json += "]}";
}

const char* type_of(mode_t mode) {
  if (S_ISDIR(mode)) return "directory";
  if (S_ISLNK(mode)) return "link";
  return S_ISREG(mode) ? "file" : "other";
}

Result<std::string> look(const Root& root, const std::string& path) {
  Result<Fd> found = root.open(path, O_PATH | O_NOFOLLOW);
  if (!found && (found.failure().error == ENOENT || found.failure().error == ENOTDIR)) return std::string(R"({"type":"none"})");
  Fd fd = TRY(std::move(found));
  struct stat info = TRY(sys::fstat(fd.get()));
  std::string json = std::string(R"({"type":")") + type_of(info.st_mode) + '"';
  if (S_ISLNK(info.st_mode)) json += R"(,"link":)" + quoted(TRY(sys::readlinkat(fd.get(), "")));
  return json += '}';
}

Result<std::string> run(std::span<char* const> words) {
  std::string verb = words[0], path = words[3], name = words[4];
  std::string_view flags = words[5];
  Root root = TRY(enter_place(words[1], words[2], words.subspan(6)));
  if (verb == "stat") return look(root, path);
  if (verb == "pack") {
    Packed packed = TRY(pack(root, path, {.name = name, .follow = flags.find('f') != flags.npos}, STDOUT_FILENO));
    return left_out(packed.skipped, packed.skipped_count);
  }
  Fd directory = TRY(root.open(path, O_PATH | O_DIRECTORY));
  FdSource source(STDIN_FILENO, FdSource::Kind::stream);
  bool owners = flags.find('o') != flags.npos;
  Unpacked unpacked = TRY(unpack(source, directory.get(), {.form = Form::copy, .lower = {}, .owners = owners}));
  return left_out(unpacked.incomplete, unpacked.incomplete_count);
}

}  // namespace

int copy_main(int argc, char** argv) {
  if (argc < FIRST_WORD) return 2;
  (void)::signal(SIGPIPE, SIG_IGN);
  // The command holds the project's lock for us: without it nothing may go on.
  (void)sys::prctl("PR_SET_PDEATHSIG", PR_SET_PDEATHSIG, SIGKILL);
  ::umask(0022);
  Result<std::string> result = in_section("copy", run({argv + 2, argv + argc}));
  std::string json = result ? result.value() : R"({"failure":)" + json_of(result.failure()) + '}';
  (void)sys::write_all(RESULT_FD, json.data(), json.size());
  return result ? 0 : 1;
}

}  // namespace caisson
