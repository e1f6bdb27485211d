// Runs a fuzz target over every file of a folder, once: for compilers without libFuzzer, and for ctest.
//
//     fuzz-decoder FILE-OR-FOLDER…
//
// A broken promise ends the process; the file that broke it was named last.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_in(const std::filesystem::path& where) {
  if (!std::filesystem::is_directory(where)) return {where};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{where}) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

bool replay(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", file.c_str());
    return false;
  }
  const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
  std::fprintf(stderr, "%s\n", file.c_str());
  // A copy of exactly this size: a sanitizer sees one byte too many.
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int index = 1; index < argc; ++index) {
    for (const auto& file : files_in(argv[index])) {
      if (!replay(file)) return 1;
      ++count;
    }
  }
  std::printf("%zu inputs, every promise kept\n", count);
  // A corpus that is not there would pass.
  return count > 0 ? 0 : 1;
}
