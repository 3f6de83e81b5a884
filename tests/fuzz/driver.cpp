// SPDX-License-Identifier: Apache-2.0
//
// Drives a target without libFuzzer: the whole corpus, then so many random changes of it, always
// the same for the same seed.
//
//   fuzz_X CORPUS [RUNS [SEED]]
//
// A run that aborts leaves its input in ./fuzz-X.bad, which belongs into the corpus once it is
// mended.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iterator>
#include <random>
#include <vector>

#include "fuzz/target.hpp"

namespace {

std::string input;  // what is being run
std::string where;  // and where it is kept if that aborts

void keep_input(int signal) {
  if (std::FILE* f = std::fopen(where.c_str(), "wb")) {
    std::fwrite(input.data(), 1, input.size(), f);
    std::fclose(f);
  }
  std::fprintf(stderr, "the input is in %s\n", where.c_str());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(std::string what) {
  input = std::move(what);
  // A copy of exactly that size, so that a sanitizer sees each read beyond its end.
  const std::vector<std::uint8_t> data(input.begin(), input.end());
  LLVMFuzzerTestOneInput(data.data(), data.size());
}

/// One to four changes.
std::string changed(std::string text, const std::vector<std::string>& corpus,
                    std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  for (auto n = 1 + below(4); n > 0; --n) {
    const auto at = below(text.size() + 1);
    switch (below(7)) {
      case 0:  // a bit
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:  // a byte of the interesting ones, or any
        if (at < text.size()) {
          constexpr unsigned char special[] = {0, 1, 0x7f, 0x80, 0xc1, 0xff, '"', '{', '[', '\\'};
          const auto i = below(2 * std::size(special));
          text[at] = static_cast<char>(i < std::size(special) ? special[i] : random());
        }
        break;
      case 2:
        text.erase(at, below(16));
        break;
      case 3:  // a piece of itself, again
        text.insert(at, text.substr(below(text.size() + 1), below(32)));
        break;
      case 4: {  // a piece of another
        const auto& other = corpus[below(corpus.size())];
        text.insert(at, other.substr(below(other.size() + 1), below(32)));
        break;
      }
      case 5:  // a number in ASCII, or a length in bytes
        if (below(2) == 0)
          text.insert(at, std::to_string(static_cast<std::int64_t>(random() >> below(64))));
        else
          for (int i = 0; i < 4; ++i)
            text.insert(at, 1, static_cast<char>(below(3) == 0 ? random() : 0xff));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS [RUNS [SEED]]\n", argv[0]);
    return 2;
  }
  where = std::filesystem::path(argv[0]).filename().string() + ".bad";
  std::signal(SIGABRT, keep_input);
  std::signal(SIGSEGV, keep_input);
  std::vector<std::string> corpus;
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(argv[1]))
    files.push_back(file.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no corpus\n", argv[1]);
    return 2;
  }
  for (const auto& text : corpus)
    run(text);
  const auto runs = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const auto seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
  std::mt19937_64 random(seed);
  for (std::uint64_t i = 0; i < runs; ++i)
    run(changed(corpus[random() % corpus.size()], corpus, random));
  std::printf("%zu of the corpus and %llu changes of it (seed %llu)\n", corpus.size(),
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(seed));
}
